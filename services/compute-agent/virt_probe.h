/* Does KVM work here? */
#pragma once

#include <stdbool.h>

/* First runs three instructions in a virtual machine of its own, in a child process with a deadline: /dev/kvm may be there, and
 * even make machines, and still run nothing (nested virtualisation that is announced but absent). Then lets 'emulator' (NULL: QEMU
 * for this architecture, by PATH) begin a machine with the host's whole processor: a KVM that announces registers (such as
 * IA32_ARCH_CAPABILITIES on a processor that has none) and then refuses them ends QEMU at once, and guests that are given less
 * of it were seen to hang. */
bool virt_probe_kvm(const char *emulator);
