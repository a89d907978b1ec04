"""The system calls for namespaces and mounts that Python 3.11's os module does not have yet."""

import contextlib
import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_BIND = 4096
MS_REC = 16384
MS_SLAVE = 1 << 19

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"{what}: {os.strerror(errno)}")


def unshare(flags):
    """Gives the calling process (for CLONE_NEWPID: its next children) new namespaces."""
    _check(_libc.unshare(flags), "unshare")


def setns(path, kind=0):
    """Moves the caller into the namespace that 'path' names."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(fd, kind), f"setns {path}")
    finally:
        os.close(fd)


def mount(source, target, flags):
    """mount(2) without file system type or data: bind mounts and changes of propagation."""
    _check(_libc.mount(source.encode(), target.encode(), None, flags, None), f"mount {source} on {target}")


def enter(pid):
    """Moves the caller into all namespaces of process 'pid' (pid namespace: its next children)."""
    names = ("cgroup", "ipc", "uts", "net", "pid", "mnt")
    fds = [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in names]
    for name, fd in zip(names, fds):
        _check(_libc.setns(fd, 0), f"setns {name} of {pid}")
        os.close(fd)


def bind_private(source, target):
    """Gives the caller a mount namespace in which 'target' is 'source'. Unmounts elsewhere still reach it, so that
    it keeps nothing alive that the machine has let go."""
    unshare(CLONE_NEWNS)
    mount("none", "/", MS_REC | MS_SLAVE)
    mount(source, target, MS_BIND)


@contextlib.contextmanager
def network(path):
    """Sockets opened inside this context belong to the network namespace 'path'."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(path, CLONE_NEWNET)
        yield
    finally:
        _check(_libc.setns(home, CLONE_NEWNET), "setns back")
        os.close(home)
