/** Libraries and programs that write by themselves: which of them an image has. */
#ifndef BR_IMAGE_LIBRARY_H
#define BR_IMAGE_LIBRARY_H

#include <base/mem.h>
#include <bindright/image.h>

/** Whether an entry of an image's layer may be a file by which a library is known. */
bool library_is_marker(const char *name);

/** Add what the image's files and its command tell to what it has already. 0, or -1 with ENOMEM. */
int library_find(struct br_arena *arena, struct br_image *image);

/** The library that this package brings: of pip, or of the system's package manager; NULL: none.
 * The name may have a version or extras behind it. */
const struct br_library *library_of_package(const char *package, bool pip);

/** The file that the image's command names as the library's configuration ("-c FILE"), or NULL. */
const char *library_config_option(const struct br_image *image, const struct br_library *library);

/** The image's libraries in an array of its own, to be changed; NULL with ENOMEM. */
struct br_image_library *library_own(struct br_arena *arena, struct br_image *image);

/** The i-th place of all in which a library's configuration is looked for; NULL where there are
 * fewer. */
const char *library_config_path(size_t i);

/** Take the paths of a configuration. 0, or -1 with ENOMEM. */
int library_configure(struct br_arena *arena, struct br_image_library *item, const char *text);

/** Take what images of this name are for ("nginx"), where it is a library's own name, as a library
 * that the image starts. 0, or -1 with ENOMEM. */
int library_of_image(struct br_arena *arena, const char *reference, struct br_image *image);

/** Whether one of the words between '|' fits. */
bool library_has_word(const char *list, const char *word, size_t n);

#endif
