# For the Makefile of a repository with a compose file: `include mounts.mk`, and let what starts containers depend on check-mounts.
#
#   make check-mounts    fails if a container could not use what is mounted into it, and says why
#   make fix-mounts      makes it fit (asks first; YES=1 does not)
#   make undo-mounts     puts back what the last fix-mounts changed
#
# MOUNTS is what bindright shall look at: options and services, as "-f compose.gpu.yaml trainer".

BINDRIGHT ?= bindright
MOUNTS ?=
YES ?=
# Only root can give away what is somebody else's; what is your own is fixed without it: SUDO=
SUDO ?= $(if $(filter-out 0,$(shell id -u)),sudo)

.PHONY: check-mounts fix-mounts undo-mounts
check-mounts:
	@$(BINDRIGHT) check $(MOUNTS)

fix-mounts:
	@$(SUDO) $(BINDRIGHT) fix $(if $(YES),--yes) $(MOUNTS)

undo-mounts:
	@$(SUDO) $(BINDRIGHT) undo $(if $(YES),--yes)
