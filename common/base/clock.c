#include "clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "compiler.h"

#define SECOND_US 1000000

/* Tests move them while threads read. */
static _Atomic int64_t fixed_us;
static _Atomic int64_t shifted_ms;

static int64_t
read_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * SECOND_US + ts.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
    int64_t fixed = atomic_load_explicit(&fixed_us, memory_order_relaxed);

    return fixed != 0 ? fixed : read_us(CLOCK_REALTIME);
}

int64_t
clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC) +
           atomic_load_explicit(&shifted_ms, memory_order_relaxed) * 1000;
}

int64_t
clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

void
clock_set_us(int64_t now_us)
{
    atomic_store(&fixed_us, now_us);
}

void
clock_shift_ms(int64_t by_ms)
{
    atomic_fetch_add(&shifted_ms, by_ms);
}

static char *
put_digits(char *at, int number, int count)
{
    for (int i = count; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + count;
}

/* "2026-01-31T12:00:00"; printf would take as long as the rest of a small answer. */
static char *
put_time(char *at, const struct tm *tm)
{
    at = put_digits(at, tm->tm_year + 1900, 4);
    *at++ = '-';
    at = put_digits(at, tm->tm_mon + 1, 2);
    *at++ = '-';
    at = put_digits(at, tm->tm_mday, 2);
    *at++ = 'T';
    at = put_digits(at, tm->tm_hour, 2);
    *at++ = ':';
    at = put_digits(at, tm->tm_min, 2);
    *at++ = ':';
    return put_digits(at, tm->tm_sec, 2);
}

char *
clock_format(struct arena *a, int64_t time_us, enum clock_style style)
{
    static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    char text[40], *at;
    int micro = (int)(time_us % SECOND_US);
    time_t seconds = time_us / SECOND_US;
    struct tm tm;

    if (micro < 0) {
        micro += SECOND_US;
        seconds--;
    }
    gmtime_r(&seconds, &tm);
    if (style == CLOCK_HTTP)
        return arena_printf(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
                            months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    at = put_time(text, &tm);
    if (style != CLOCK_Z) {
        *at++ = '.';
        at = put_digits(at, micro, 6);
    }
    if (style != CLOCK_MICRO)
        *at++ = 'Z';
    return arena_strndup(a, text, (size_t)(at - text));
}

/* Exactly 'count' digits at '*at', which moves past them. */
static bool
take_digits(const char **at, int count, int *ret)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        char c = (*at)[i];

        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    *at += count;
    *ret = number;
    return true;
}

static bool
take_char(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool
take_date(const char **at, struct tm *tm)
{
    static const int lengths[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year, month, day, last;

    if (!take_digits(at, 4, &year) || !take_char(at, '-') || !take_digits(at, 2, &month) ||
        !take_char(at, '-') || !take_digits(at, 2, &day) || month < 1 || month > 12)
        return false;
    last = lengths[month - 1];
    if (month == 2 && (year % 4 == 0) && (year % 100 != 0 || year % 400 == 0))
        last = 29;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return day >= 1 && day <= last;
}

/* HH:MM[:SS[.fraction]]; digits of the fraction beyond microseconds are dropped. */
static bool
take_time(const char **at, struct tm *tm, int *micro)
{
    int unit = SECOND_US / 10;

    if (!take_digits(at, 2, &tm->tm_hour) || !take_char(at, ':') ||
        !take_digits(at, 2, &tm->tm_min))
        return false;
    if (take_char(at, ':')) {
        if (!take_digits(at, 2, &tm->tm_sec))
            return false;
        if (take_char(at, '.') || take_char(at, ',')) {
            int digit;

            if (!take_digits(at, 1, &digit))
                return false;
            do {
                *micro += digit * unit;
                unit /= 10;
            } while (take_digits(at, 1, &digit));
        }
    }
    return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60; /* 60: a leap second. */
}

/* Z, +HH, +HHMM, +HH:MM or nothing; in seconds east of UTC. */
static bool
take_zone(const char **at, int *ret)
{
    int hours, minutes = 0, sign;

    *ret = 0;
    if (**at == '\0' || take_char(at, 'Z') || take_char(at, 'z'))
        return true;
    if (take_char(at, '+'))
        sign = 1;
    else if (take_char(at, '-'))
        sign = -1;
    else
        return false;
    if (!take_digits(at, 2, &hours))
        return false;
    if (take_char(at, ':') ? !take_digits(at, 2, &minutes)
                           : **at != '\0' && !take_digits(at, 2, &minutes))
        return false;
    *ret = sign * (hours * 3600 + minutes * 60);
    return hours <= 23 && minutes <= 59;
}

int
clock_parse(const char *text, int64_t *ret_us)
{
    const char *at = text;
    struct tm tm = { 0 };
    int micro = 0, east = 0;

    if (text == NULL || !take_date(&at, &tm))
        return -EINVAL;
    if (*at != '\0') {
        if (*at != 'T' && *at != 't' && *at != ' ')
            return -EINVAL;
        at++;
        if (!take_time(&at, &tm, &micro) || !take_zone(&at, &east))
            return -EINVAL;
    }
    if (*at != '\0')
        return -EINVAL;
    *ret_us = ((int64_t)timegm(&tm) - east) * SECOND_US + micro;
    return 0;
}
