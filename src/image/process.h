/** Who a container's process is, by /proc. */
#ifndef BR_IMAGE_PROCESS_H
#define BR_IMAGE_PROCESS_H

#include <base/mem.h>
#include <bindright/image.h>

/**
 * Read /proc/PID/status and its maps. `id` is the container's: the process must show it in its
 * mounts or its control group, or it is somebody else's (the engine may see other numbers than we).
 * 0 with *out (pid 0 where it cannot be told), or -1 with ENOMEM. Source: proc(5),
 * user_namespaces(7).
 */
int process_read(struct br_arena *arena, uint32_t pid, const char *id, struct br_process *out);

#endif
