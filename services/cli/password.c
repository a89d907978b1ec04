#include "password.h"

#include <termios.h>
#include <unistd.h>

#include "base/str.h"

static int
read_line(struct arena *a, const char **ret, struct fault *f)
{
    char line[4098];

    if (fgets(line, sizeof(line), stdin) == NULL)
        return fault_raise(f, FAULT_INVALID, "No password was given on standard input.");
    line[strcspn(line, "\r\n")] = '\0';
    *ret = arena_strdup(a, line);
    explicit_bzero(line, sizeof(line));
    return str_empty(*ret) ? fault_raise(f, FAULT_INVALID, "The password is empty.") : 0;
}

static int
ask_terminal(struct arena *a, const char *prompt, const char **ret, struct fault *f)
{
    struct termios before, silent;
    int r;

    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return fault_raise(f, FAULT_INTERNAL, "The terminal cannot be set.");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s", prompt);
    fflush(stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    r = read_line(a, ret, f);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return r;
}

int
password_ask(struct arena *a, const char *prompt, bool again, const char **ret, struct fault *f)
{
    const char *first = NULL, *second = NULL;

    if (!isatty(STDIN_FILENO))
        return read_line(a, ret, f);
    if (ask_terminal(a, prompt, &first, f) < 0)
        return -1;
    if (again) {
        if (ask_terminal(a, "Repeat it: ", &second, f) < 0)
            return -1;
        if (!str_equal(first, second))
            return fault_raise(f, FAULT_INVALID, "The passwords differ.");
    }
    *ret = first;
    return 0;
}
