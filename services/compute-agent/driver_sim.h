/* Guests that exist in memory only: for tests, benches and the harness. Behind the same table as real ones; what tests may do
 * beside that is here. Thread-safe. */
#pragma once

#include "driver.h"

/* Calls number 'first' (from 1) to 'first' + 'count' - 1 of 'method' ("spawn", "attach_volume", ...) from now on fail with
 * 'kind'. FAULT_TIMEOUT fails after its work was done, as a lost answer does; every other kind before. */
void sim_fail(struct hypervisor *h, const char *method, unsigned first, unsigned count,
              enum fault_kind kind);

/* Each change takes so long by clock_mono_ms(). Tests move the clock and then wake those who wait. */
void sim_set_delay(struct hypervisor *h, int64_t delay_ms);
void sim_wake(struct hypervisor *h);
/* Calls that wait for the clock just now. */
unsigned sim_waiting(struct hypervisor *h);

/* The guest's process dies. False: there is no such guest. */
bool sim_crash(struct hypervisor *h, const char *guest_id);
/* From now on the guest ignores requests to power off and to let go of devices. */
bool sim_make_deaf(struct hypervisor *h, const char *guest_id);

size_t sim_guests(struct hypervisor *h);
/* Devices that are connected to all guests: together with sim_guests(), what must be nothing in the end. */
size_t sim_devices(struct hypervisor *h);
