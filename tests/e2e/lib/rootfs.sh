# A root file system with the programs that make accounts: Debian's own, with all that they load.
# shellcheck shell=bash disable=SC2154

for tool in useradd groupadd usermod groupmod userdel groupdel gpasswd adduser; do
	[ -x "$(command -v $tool)" ] || skip "needs $tool"
done

# copy_loads ROOT FILE...: the libraries of programs.
copy_loads() {
	local root=$1 lib
	shift
	for file; do
		ldd "$file" 2>/dev/null | awk '/=> \// { print $3 } /^\t\// { print $1 }'
	done | sort -u | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		cp -L "$lib" "$root$lib"
	done
}

# accounts_rootfs ROOT: busybox, shadow's programs and their settings; no accounts yet.
accounts_rootfs() {
	local root=$1 applet tool
	mkdir -p "$root"/{bin,sbin,etc/default,etc/skel,tmp,root,home,proc,dev,var/mail,usr}
	ln -s ../bin ../sbin "$root/usr/"
	cp "$(command -v busybox)" "$root/bin/busybox"
	# getent asks the C library's files as useradd does
	for applet in sh ls cat rm mkdir true id grep echo env sed chown chmod mv cp ln touch; do ln -s busybox "$root/bin/$applet"; done
	cp /usr/bin/getent "$root/bin/"
	for tool in useradd groupadd usermod groupmod userdel groupdel; do cp /usr/sbin/$tool "$root/sbin/"; done
	cp /usr/bin/gpasswd "$root/bin/"
	printf '#!/bin/sh\nexec "$@"\n' >"$root/bin/sudo"
	chmod 755 "$root/bin/sudo"
	copy_loads "$root" "$root"/sbin/* "$root/bin/getent" "$root/bin/gpasswd"
	cp /etc/login.defs "$root/etc/"
	printf 'passwd: files\ngroup: files\nshadow: files\n' >"$root/etc/nsswitch.conf"
}

# debian_rootfs ROOT: with Debian's adduser, the Perl for it, and the accounts that every Debian has.
debian_rootfs() {
	local root=$1 file
	accounts_rootfs "$root"
	dpkg -L perl-base adduser | grep -E '^/(usr/(bin|sbin|lib|share/perl5)|etc)/' | while read -r file; do
		[ -d "$file" ] || [ ! -e "$file" ] || {
			mkdir -p "$root$(dirname "$file")"
			cp -a "$file" "$root$file"
		}
	done
	find "$root/usr/lib" -name '*.so' -print0 | while IFS= read -r -d '' file; do copy_loads "$root" "$file"; done
	copy_loads "$root" "$root/bin/perl"
	cp /usr/share/base-passwd/passwd.master "$root/etc/passwd"
	cp /usr/share/base-passwd/group.master "$root/etc/group"
	sed -i 's/^\([^:]*\):\*:/\1:x:/' "$root/etc/passwd" "$root/etc/group"
	awk -F: '{ print $1 ":*:19000:0:99999:7:::" }' "$root/etc/passwd" >"$root/etc/shadow"
	awk -F: '{ print $1 ":*::" }' "$root/etc/group" >"$root/etc/gshadow"
	cp /etc/shells "$root/etc/"
	# It would ask PAM; what it writes names nobody.
	printf '#!/bin/sh\n' >"$root/bin/chfn"
	chmod 755 "$root/bin/chfn"
}
