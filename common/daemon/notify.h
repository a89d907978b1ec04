/* What systemd is told (sd_notify(3)); nothing happens when it did not start us. */
#pragma once

#include "../base/compiler.h"

void notify_status(const char *format, ...)
    _printf_(1, 2); /* The line that "systemctl status" shows. */
void notify_ready(void);
void notify_reloading(void); /* notify_ready() ends it. */
void notify_stopping(void);
