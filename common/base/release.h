/* The version that programs tell of themselves. */
#pragma once

#define VIRGA_VERSION "0.1.0"
