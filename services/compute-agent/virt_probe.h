/* Does KVM work here? */
#pragma once

#include <stdbool.h>

/* Runs three instructions in a virtual machine of its own, in a child process with a deadline: /dev/kvm may be there, and
 * even make machines, and still run nothing (nested virtualisation that is announced but absent). */
bool virt_probe_kvm(void);
