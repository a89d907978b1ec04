#include "virt_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"

enum { DEADLINE_MS = 2000, START_MS = 10000, PORT = 0x3f8, CODE_AT = 0x1000, MEMORY = 0x1000 };

#if defined(__x86_64__)
/* mov $0x3f8,%dx; mov $'V',%al; out %al,(%dx); hlt */
static const unsigned char program[] = { 0xba, 0xf8, 0x03, 0xb0, 'V', 0xee, 0xf4 };

static bool
set_registers(int vcpu)
{
    struct kvm_sregs special;
    struct kvm_regs registers = { .rip = CODE_AT, .rflags = 2 };

    if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0)
        return false;
    special.cs.base = 0;
    special.cs.selector = 0;
    return ioctl(vcpu, KVM_SET_SREGS, &special) == 0 && ioctl(vcpu, KVM_SET_REGS, &registers) == 0;
}

/* True when the program has put its letter on the port. */
static bool
run_program(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int machine = kvm >= 0 ? ioctl(kvm, KVM_CREATE_VM, 0) : -1;
    void *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = { .guest_phys_addr = CODE_AT,
                                                  .memory_size = MEMORY };
    struct kvm_run *run;
    int vcpu, size;

    if (machine < 0 || memory == MAP_FAILED)
        return false;
    memcpy(memory, program, sizeof(program));
    region.userspace_addr = (uintptr_t)memory;
    if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return false;
    vcpu = ioctl(machine, KVM_CREATE_VCPU, 0);
    size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
    if (vcpu < 0 || size < (int)sizeof(*run) || !set_registers(vcpu))
        return false;
    run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED || ioctl(vcpu, KVM_RUN, NULL) < 0)
        return false;
    return run->exit_reason == KVM_EXIT_IO && run->io.port == PORT &&
           ((char *)run)[run->io.data_offset] == 'V';
}
#else
/* Elsewhere: that machines can be made must do. */
static bool
run_program(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    return kvm >= 0 && ioctl(kvm, KVM_CREATE_VM, 0) >= 0;
}
#endif

static bool
runs(void)
{
    struct pollfd end = { .events = POLLIN };
    pid_t child;
    int status = -1;
    bool in_time;

    if (access("/dev/kvm", R_OK | W_OK) < 0)
        return false;
    child = fork();
    if (child < 0)
        return false;
    if (child == 0)
        _exit(run_program() ? 0 : 1);
    end.fd = pidfd_open(child, 0);
    in_time = end.fd >= 0 && poll(&end, 1, DEADLINE_MS) > 0;
    if (!in_time)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (end.fd >= 0)
        close(end.fd);
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A machine that is held before its first instruction and told to quit. */
static bool
starts(struct arena *a, const char *emulator)
{
    static const char quit[] = "{\"execute\": \"qmp_capabilities\"} {\"execute\": \"quit\"}\n";
    const char *const argv[] = { emulator,   "-nodefaults", "-no-user-config",
                                 "-display", "none",        "-accel",
                                 "kvm",      "-cpu",        "host",
                                 "-S",       "-m",          "64",
                                 "-qmp",     "stdio",       NULL };
    struct process_run run = {
        .argv = argv, .input = quit, .input_size = strlen(quit), .deadline_ms = START_MS
    };
    struct fault f = { 0 };

    if (process_run(a, &run, &f) == 0)
        return true;
    log_warn("libvirt.kvm-not-used cause=\"%s\"", f.cause);
    return false;
}

bool
virt_probe_kvm(const char *emulator)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    struct utsname host;

    if (!runs())
        return false;
    if (emulator == NULL) {
        uname(&host);
        emulator = arena_printf(a, "qemu-system-%s", host.machine);
    }
    return starts(a, emulator);
}
