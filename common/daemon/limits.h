/* What the process allows itself, and what it denies others to see of it. */
#pragma once

/* First thing in main(): no core files and no ptrace by others (keys and passwords are in
 * memory), as many descriptors as the system grants, two malloc arenas (each thread's own would
 * keep what it once needed). */
void limits_apply(void);

/* After the start: gives back what only the start needed. */
void limits_trim(void);

/* A stop that takes longer than this ends here: whatever hangs, the process goes, and the
 * database knows what is open. */
void limits_stop_within(int limit_ms);
