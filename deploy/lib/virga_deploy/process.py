"""Long-running processes: started detached, found again by a later command, ended exactly.

A process is remembered in a file as pid, start time and boot: a pid that was given to somebody else since is never
taken for ours. It leads a session of its own, so its whole group can be ended. Nothing is ever looked for by name.
"""

import json
import os
import select
import signal
import time

_BOOT = open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip()


class StartError(Exception):
    """A process could not be started, or ended before it was ready; says why, with the end of its log."""


def start_time(pid):
    """When 'pid' was started, in clock ticks since boot; None if it is gone or only waits to be reaped."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def log_tail(path, lines=15):
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])
    except OSError:
        return ""


class Process:
    """One process by name; 'record' is the file that remembers it, 'log' gets its output."""

    def __init__(self, name, record, log, stop_signal=signal.SIGTERM):
        self.name, self.record, self.log, self.stop_signal = name, record, log, stop_signal

    def pid(self):
        """Its pid while it runs, else None."""
        try:
            with open(self.record, encoding="ascii") as record:
                known = json.load(record)
        except (FileNotFoundError, ValueError):
            return None
        if known["boot"] != _BOOT or start_time(known["pid"]) != known["started"]:
            return None
        return known["pid"]

    def start(self, argv, env=None, before=None):
        """Runs 'argv' detached, unless it runs already. Returns whether it was started now. 'before' is called in
        the child, ahead of a second fork: what it sets (namespaces, user, cgroup) holds for the process."""
        if self.pid() is not None:
            return False
        pid = _spawn(argv, dict(os.environ if env is None else env), self.log, before)
        record = {"pid": pid, "started": start_time(pid), "boot": _BOOT}
        temporary = self.record + ".new"
        with open(temporary, "w", encoding="ascii") as file:
            json.dump(record, file)
        os.replace(temporary, self.record)
        return True

    def wait_ready(self, ready, seconds):
        """Returns as soon as ready() is true. Raises StartError if the process ends first or takes too long."""
        deadline = time.monotonic() + seconds
        while True:
            running = self.pid() is not None
            if ready():
                return
            if not running:
                raise StartError(f"{self.name} ended before it was ready; {self.log} ends:\n{log_tail(self.log)}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} was not ready within {seconds} s; {self.log} ends:\n{log_tail(self.log)}")
            time.sleep(0.02)

    def stop(self, seconds=20):
        """Asks it to end, waits, then kills what is left of its group. Returns whether it ran."""
        return bool(stop_all([self], seconds))

    def kill(self):
        """SIGKILL, at once: what tests do to see the rest cope. Returns whether it ran."""
        pid = self.pid()
        if pid is None:
            return False
        handle = _open(pid)
        _signal(handle, signal.SIGKILL)
        _wait_end(pid, handle, 10)
        return True


def stop_all(processes, seconds=20):
    """Asks all of them to end at once, and waits for each; who takes longer is killed. What is left of their groups is
    killed too. Returns the names of those that ran."""
    running = []
    for process in processes:
        pid = process.pid()
        if pid is not None:
            handle = _open(pid)
            _signal(handle, process.stop_signal)
            running.append((process.name, pid, handle))
    for _, pid, handle in running:
        _wait_end(pid, handle, seconds)
    for process in processes:
        if os.path.exists(process.record):
            os.unlink(process.record)
    return [name for name, _, _ in running]


def _open(pid):
    """A descriptor of process 'pid', which stays its own whatever happens to the number; None if it is gone."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _signal(handle, number):
    try:
        if handle is not None:
            signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        pass


def _wait_end(pid, handle, seconds):
    if handle is not None:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        if not ended.poll(seconds * 1000):
            _signal(handle, signal.SIGKILL)
            ended.poll(10000)
        os.close(handle)
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _spawn(argv, env, log, before):
    """fork, before(), fork, exec. The pid comes through a pipe that exec closes; so does what went wrong instead."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        try:
            os.close(read_end)
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            null = os.open("/dev/null", os.O_RDONLY)
            for target, source in ((0, null), (1, output), (2, output)):
                os.dup2(source, target)
            os.chdir("/")
            if before is not None:
                before()
            pid = os.fork()
            if pid == 0:
                os.setsid()
                os.execvpe(argv[0], argv, env)
            os.write(write_end, f"{pid}\n".encode())
        except BaseException as error:  # Whatever it was: this is a child, the parent shall say it.
            os.write(write_end, f"! {argv[0]}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, encoding="utf-8") as report:
        lines = report.read().splitlines()
    os.waitpid(child, 0)
    failures = [line[2:] for line in lines if line.startswith("! ")]
    if failures:
        raise StartError(failures[0])
    return int(lines[0])
