/**
 * The question to the confined child that reads an image archive, and its answer. The child opens
 * nothing: of a directory it says which files it needs, and is asked again with them.
 *
 * The answer is a letter and what belongs to it (base/wire.h): E reason; N n, names; L n, images
 * {kind, n, names, digest}; A why; I an image.
 */
#ifndef BR_IMAGE_BUNDLE_H
#define BR_IMAGE_BUNDLE_H

#include <base/text.h>

enum bundle_letter {
	/** It failed: the sentence "it …". */
	BUNDLE_ERROR = 'E',
	/** Ask again with these files. */
	BUNDLE_NEEDS = 'N',
	BUNDLE_LIST = 'L',
	/** It has no such image: the sentence. */
	BUNDLE_ABSENT = 'A',
	BUNDLE_IMAGE = 'I',
};

struct bundle_request {
	bool is_directory;
	/** Of a directory: the files that were asked for, and which of the inputs each is, -1 where
	 * it does not exist. Else the archive is the only input. */
	const char *const *names;
	const int *inputs;
	size_t n;
	/** Images of the list, which differ in their platform only; none: the list is asked for. */
	const uint32_t *chosen;
	size_t nchosen;
	/** "linux/amd64". */
	const char *platform;
	/** Absolute paths of the image: what stands there, and on the way there? */
	const char *const *asked;
	size_t nasked;
};

/** Run in the child (br_confined); context is a bundle_request. */
int bundle_answer(void *context, const int *in, struct br_buf *out);

/** Load what it needs from files. Before it is confined. */
void bundle_prepare(void);

#endif
