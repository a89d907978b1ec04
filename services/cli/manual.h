/* The parts of virga(1) that are not made from the tables. */
#pragma once

extern const char manual_head[], manual_tail[];
