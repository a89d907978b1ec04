#include "notify.h"

#include <stdarg.h>
#include <systemd/sd-daemon.h>

#include "../base/clock.h"

void
notify_status(const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sd_notifyf(0, "STATUS=%s", text);
}

void
notify_ready(void)
{
    sd_notify(0, "READY=1\nSTATUS=serving");
}

void
notify_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
}

void
notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=draining");
}
