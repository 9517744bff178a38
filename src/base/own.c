#include <base/own.h>

#include <errno.h>

void br_closep(int *fd) {
	if (*fd < 0) {
		return;
	}
	int kept = errno;
	// Only descriptors that lose nothing on a failed close come here; those that were written
	// are synced by hand.
	(void)close(*fd);
	*fd = -1;
	errno = kept;
}

void br_freep(void *p) {
	int kept = errno;
	free(*(void **)p);
	*(void **)p = NULL;
	errno = kept;
}

void br_fclosep(FILE **f) {
	if (!*f) {
		return;
	}
	int kept = errno;
	// The stream was only read, so nothing can be lost.
	(void)fclose(*f);
	*f = NULL;
	errno = kept;
}
