/** A page for every finding code: the one source of `bindright codes` and docs/codes.md. */
#include <bindright/check.h>

static const struct br_code_page all[] = {
	{
		1,
		"The compose file has a key that compose does not know where it stands. Inside "
		"volumes, build, secrets and configs that is an error of the input, since a "
		"mount could be misread; elsewhere it is this warning.",
		"",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volums: [\"./data:/data\"]\n",
		"Correct the key; the message suggests the nearest name. Keys of your own "
		"begin with x-.",
	},
	{
		101,
		"The container's user has no write access to the mounted directory or file "
		"itself. `because` names the class of the mode, or the ACL entry, by which the "
		"kernel decides.",
		"mkdir data && chown 1000:1000 data && chmod 755 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"`bindright fix` gives the container's user, and nobody else, the missing "
		"access. Where nothing has to be written, mount it read-only (`:ro`) or say "
		"`--need /data=r`.",
	},
	{
		102,
		"The container's user may not read the mounted file, or not list the mounted "
		"directory.",
		"mkdir data && chmod 711 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data:ro\"]\n",
		"`bindright fix` gives the container's user read access. Never solve it by "
		"chmod -R 777.",
	},
	{
		103,
		"The container's user may not enter (search) the mounted directory: everything "
		"below it is out of reach, whatever its own mode says. For a mounted file: it "
		"may not be executed.",
		"mkdir data && chmod 700 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"`bindright fix` gives the container's user search access of this directory. "
		"What lies below is judged by itself.",
	},
	{
		104,
		"The mounted directory itself is usable, or not, but inside it are files or "
		"directories that the container's user cannot use as their own users can. The "
		"finding counts them, says whose they are, and shows the first few.",
		"mkdir data && touch data/model.pt && chown 1001:1001 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"`bindright fix`; it lists what it leaves alone (other people's files, hard "
		"links, setuid files, private names) with the option that includes it. "
		"`--exclude` leaves out what the container does not use.",
	},
	{
		105,
		"The directory is sticky, as /tmp is: everybody who can write there can make "
		"files, but only their owner can delete or rename them. The container's user "
		"finds files there that it does not own.",
		"mkdir data && touch data/old && chmod 666 data/old && chmod 1777 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"If the container has to replace these files: give it a directory of its own, "
		"or remove the sticky bit (chmod -t) where no strangers write.",
	},
	{
		106,
		"The container can write in the mounted directory, and so can the host user who "
		"starts it (or who is named by --keep); but what the container makes there will "
		"be its own user's, with a mode that does not let the host user do what he can "
		"do in the directory today. Foreseen from the container's UID, GID and umask, "
		"and from the directory's setgid bit and default ACL. Not said of root, of a "
		"host user who is the container's user, of directories that he cannot use "
		"today, and of images that are known to manage their data themselves.",
		"chown daemon . && mkdir data && chown daemon data && setfacl -m u:1001:rwx data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"`bindright fix --future-files` gives the directory a default ACL by which both "
		"can use what either makes. Or run the container as the host user "
		"(`user: \"UID:GID\"`). In a setgid directory of a group that both are in, a "
		"umask of 0002 in the container does it, too.",
	},
	{
		107,
		"Root in a container is not judged by modes as long as it has "
		"CAP_DAC_OVERRIDE. This container has dropped it (`cap_drop`), and without it "
		"the mount does not work.",
		"mkdir data && chown 1000:1000 data && chmod 700 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"0:0\"\n"
		"    cap_drop: [ALL]\n"
		"    volumes: [\"./data:/data\"]\n",
		"Make the path fit (`bindright fix`), or give the capability back: cap_add: "
		"[DAC_OVERRIDE].",
	},
	{
		109,
		"A directory on the way to the mount's target stops the container's user: one of "
		"the image (often /root, which is root's and 0700), the source of another mount "
		"around it, or a tmpfs, which takes the mode of the image's directory and root as "
		"its owner. What is mounted may be fine; the user never gets there. It is said "
		"where the directory was read (an image archive, the host), and of /root in images "
		"whose distribution is known.",
		"mkdir -p models && chown 1001:1001 models && printf 'FROM python:3.12-slim\\n' "
		">Dockerfile",
		"  app:\n"
		"    build: .\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./models:/root/.cache/huggingface\"]\n",
		"Mount it at a path that the user can reach, and tell the program where that is "
		"(HOME, HF_HOME and the like). Or let the directory be entered: chmod o+x in the "
		"Dockerfile, also where a tmpfs covers it; `bindright fix` for an outer mount.",
	},
	{
		201,
		"The source does not exist. Docker would create it as a directory of root's, "
		"mode 0755, and there the container's user could not do what it needs.",
		"",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"`bindright fix` before the first start creates it with the right owner. Later "
		"it is too late: the engine has made it root's, and you get BR101.",
	},
	{
		202,
		"The source does not exist, and the engine will refuse to start: "
		"create_host_path is false, or it is a secret or a config, or it depends on "
		"the version of compose.",
		"",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes:\n"
		"      - {type: bind, source: ./data, target: /data, bind: {create_host_path: false}}\n",
		"Create it before the first start; for bind mounts `bindright fix` does.",
	},
	{
		203,
		"A file and a directory are confused: a missing source that is named like a "
		"file becomes a directory when the engine creates it, or a component of the "
		"path is a file.",
		"",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./app.conf:/etc/app.conf\"]\n",
		"Create the file before the first start, or correct the path.",
	},
	{
		204,
		"The source is a symbolic link that leads nowhere, or round in a circle.",
		"ln -s nowhere data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Correct the link, or name the directory itself.",
	},
	{
		205,
		"The source's file system is mounted read-only on the host, and the mount is "
		"not `:ro`. Nobody can write there, not even root.",
		"mkdir data && chown 1001:1001 data && mount --bind data data && mount -o "
		"remount,bind,ro data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Mount it read-write on the host, or let the container have it read-only "
		"(`:ro`).",
	},
	{
		206,
		"chattr +i (immutable) or +a (append-only) protects something below the "
		"source. No mode and no ACL overrides it, and root is bound by it too.",
		"mkdir data && touch data/kept && chown -R 1001:1001 data && chattr +i "
		"data/kept",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Somebody set it on purpose: ask first. chattr -i or -a takes it away; "
		"bindright never does.",
	},
	{
		207,
		"The source's file system does not keep owners, or may not: vfat, many FUSE "
		"file systems, NFS with root squash. There chown and setfacl change nothing, "
		"or a server decides by rules of its own. Such a server is asked, as the "
		"container's user, and its word is the verdict, whatever modes it shows: the "
		"finding says what it allows and refuses. Only root can ask as somebody else; "
		"where nobody could, the modes are all there is to go by.",
		"mkdir data && mount -t mqueue none data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Give the file system the right owner when it is mounted (uid=, gid=, umask=), "
		"see to the rules of its server where that refuses something, or keep what "
		"containers write on a local file system.",
	},
	{
		208,
		"A rootless engine runs as a user of the host, and reaches a source with that "
		"user's rights: each directory on the way must let him in (x), and a missing "
		"source can only be made where he may write. That the container itself needs "
		"nothing of these directories does not help.",
		NULL,
		"",
		"Give the user of the engine search access of the directory that is named "
		"(setfacl -m u:NAME:x), or keep the data below his home.",
	},
	{
		209,
		"Something could not be examined: bindright may not look there, or it is a "
		"mount point inside the source. It is never counted as fitting.",
		"mkdir -p data/inner && chown -R 1001:1001 data && mount -t tmpfs none "
		"data/inner",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Run it as root (sudo bindright); enter mount points with "
		"--cross-file-systems, or leave them out with --exclude. To a network file "
		"system's server root may be nobody (root_squash): run bindright there.",
	},
	{
		210,
		"A container of this project and service runs at this moment, by what the "
		"engine says, and a mount of it does not fit. What bindright fix changes, it "
		"sees at once: also what it holds open, and what it writes meanwhile.",
		NULL,
		"",
		"Stop it first (docker compose stop), or know that it can bear it. Where "
		"everything fits nothing is said.",
	},
	{
		211,
		"A named volume of the local driver with a host directory as its device is "
		"not mounted as it is: when it is used for the first time and is empty, "
		"Docker gives the directory the owner and the mode of the image's directory "
		"at the target, and copies the files from there. What was set before is gone. "
		"Podman does so with nocopy, too, and Podman 4 also where it is not empty.",
		"mkdir data && chown 1001:1001 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"data:/data\"]\n"
		"volumes:\n"
		"  data:\n"
		"    driver_opts: {type: none, o: bind, device: \"${PWD}/data\"}\n",
		"Write it as a bind mount (./data:/data), or set nocopy in the long form of "
		"the mount (volume: {nocopy: true}); or start it once before bindright fix.",
	},
	{
		212,
		"The engine, or its runtime, cannot make this mount, and so does not start the "
		"container: the mount point lies inside another mount and is not there, and it "
		"cannot be created (the mount around it is read-only, or in a user namespace the "
		"runtime mounts as the namespace's root, who may not write there); a directory on "
		"the way to it is one that this root may not enter; or the mount has an option "
		"that this engine cannot carry out.",
		"mkdir -p outer inner",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./outer:/data:ro\", \"./inner:/data/inner\"]\n",
		"Create the mount point on the host first, in the outer mount's source; or leave "
		"the option out.",
	},
	{
		301,
		"No host user has the container's UID, or no host group its GID. Access works "
		"by numbers, so nothing fails; but what the container writes belongs to a bare "
		"number, and the next account that is created may get that number, and with it "
		"the files. Not said where all mounts are read-only.",
		"mkdir data && chown 61001:61001 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"61001:61001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"`bindright fix --create-users` makes an account with exactly these IDs, "
		"without a login. Or ignore it with a reason.",
	},
	{
		302,
		"The container's UID is, by accident or not, that of a host user who did not "
		"ask for this. That user will own what the container writes, and the container "
		"can use what that user can. Not said where all mounts are read-only.",
		"mkdir data && chown 1:1 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1:1\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Choose a UID that nobody has. If it is meant, ignore it with the reason, or "
		"name the user with --keep.",
	},
	{
		303,
		"Who the process will be cannot be worked out: nothing says so, or a user's "
		"name does that only the image knows.",
		"mkdir data",
		"  app:\n"
		"    image: example\n"
		"    volumes: [\"./data:/data\"]\n",
		"Write numbers into the compose file (user: \"UID:GID\"), or pin it: --user "
		"SERVICE=UID:GID.",
	},
	{
		304,
		"The identity is an assumption. A UID without a group takes its group from the "
		"image's passwd, and root's group where the image does not know the UID.",
		"mkdir data && chown 1001:0 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Write the group too: user: \"1001:1001\".",
	},
	{
		305,
		"The process runs as root. Whatever it writes into the mount is root's on the "
		"host, and a way out of the container is root on the host. Not said where a user "
		"namespace makes somebody else of it on the host.",
		"mkdir data",
		"  app:\n"
		"    image: example\n"
		"    user: \"0:0\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Give it a user of its own (user: \"UID:GID\") and let `bindright fix` make the "
		"mounts fit.",
	},
	{
		306,
		"The image starts as root, and its entrypoint is known to drop to another user. Both "
		"are judged: root has to prepare what it prepares, and the mounts have to fit the "
		"user who does the work.",
		"mkdir data && chown 999:999 data && chmod 700 data",
		"  db:\n"
		"    image: postgres:16\n"
		"    volumes: [\"./data:/var/lib/postgresql/data\"]\n",
		"Nothing has to be fixed. Where the table is wrong about your image, say who it is: "
		"--user SERVICE=UID:GID.",
	},
	{
		307,
		"The container runs in a user namespace, and its UID or GID is outside the "
		"namespace's map: the kernel shows such files as nobody's, and lets nobody use "
		"them by owner.",
		NULL,
		"",
		"Enlarge the range in /etc/subuid and /etc/subgid, or choose an ID inside it.",
	},
	{
		401,
		"Services with different users share a path, and one of them cannot use it: no "
		"single owner serves them all. Whoever runs chown for one takes it from the "
		"other.",
		"mkdir data && chown 1001:1001 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n"
		"  web:\n"
		"    image: example\n"
		"    user: \"1002:1002\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"`bindright fix` gives each of them an ACL entry of its own; or let them share "
		"a group (--strategy group).",
	},
	{
		402,
		"A mount lies inside another one, and its mount point does not exist there: "
		"the engine creates it inside the outer source on the host, as root's.",
		"mkdir data cache && chown 1001:1001 data cache",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\", \"./cache:/data/cache\"]\n",
		"Create the mount point in the outer source before the first start.",
	},
	{
		403,
		"The mount is read-write, and by what is known nothing is written there: it "
		"was said with --need; or the image is known to read only what stands at this "
		"path; or the container's user can read everything in it and can write none "
		"of it, as inputs look that somebody else puts there. Read-only would be "
		"safer, and in the last case the only thing to do.",
		"mkdir models && touch models/a.pt",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./models:/models\"]\n",
		"Mount it read-only: `./models:/models:ro`, or `read_only: true` in the long "
		"form. Then reading is all that bindright asks for, and all that it gives. If "
		"it is to be written, `bindright fix` gives that.",
	},
	{
		501,
		"The container is privileged and has host paths mounted: there is no boundary "
		"left between it and the host.",
		"mkdir data && chown 1001:1001 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    privileged: true\n"
		"    volumes: [\"./data:/data\"]\n",
		"Drop privileged and add the one capability or device that is needed (cap_add, "
		"devices).",
	},
	{
		502,
		"The container shares a namespace of the host: its network, its process IDs, "
		"or its user IDs. Mounts and processes of the host are nearer than they look.",
		"mkdir data && chown 1001:1001 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    pid: host\n"
		"    volumes: [\"./data:/data\"]\n",
		"Take the line away unless the service cannot do without.",
	},
	{
		503,
		"An engine's socket is mounted. Whoever can write to it can start a privileged "
		"container, and so is root on the host; a read-only mount does not prevent it.",
		"python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"docker.sock\")'",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./docker.sock:/var/run/docker.sock\"]\n",
		"Put a proxy between that allows only the calls that are needed, or do "
		"without.",
	},
	{
		504,
		"A directory of the system is mounted: /, /etc, /usr, /proc and the like. "
		"bindright fix refuses to change anything there.",
		"",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"/etc:/host/etc:ro\"]\n",
		"Mount the one file that is needed, read-only.",
	},
	{
		505,
		"The source is writable by everybody on the host: anybody can plant there what "
		"the container runs or reads.",
		"mkdir data && chmod 777 data",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./data:/data\"]\n",
		"Let `bindright fix` give the container's user access, then take it from the "
		"others: chmod o-w.",
	},
	{
		506,
		"A file that is mounted as a secret, or a private key by its name, can be "
		"read by other people of this host: by everybody, or by members of its group "
		"or of an ACL. Directories above it that keep them out are taken into "
		"account; root, the file's owner, the container's user and the user who keeps "
		"access are not counted.",
		"printf s >id_rsa && chmod 644 id_rsa",
		"  app:\n"
		"    image: example\n"
		"    user: \"1001:1001\"\n"
		"    volumes: [\"./id_rsa:/key:ro\"]\n",
		"The command beside the finding takes it from others and leaves it to the "
		"container's user: an ACL entry for exactly that user, and nothing for "
		"others.",
	},
	{
		601,
		"The image writes below a directory that its user cannot write: a VOLUME, an empty "
		"directory that the Dockerfile makes for data (logs, cache, uploads, …), or the "
		"place that a variable such as LOG_DIR names, and the Dockerfile never gives it to "
		"the user. Builders run everything before USER as root; WORKDIR and COPY without "
		"--chown make root's directories too. What the container mounts there counts "
		"instead.",
		"printf 'FROM python:3.12-slim\\nRUN useradd -u 1001 app && mkdir -p /app/logs\\nUSER "
		"app\\n' >Dockerfile",
		"  app:\n"
		"    build: .\n",
		"Give the directory to the user in the Dockerfile, before USER: RUN chown app "
		"/app/logs, or COPY --chown=app. Or mount a directory there.",
	},
	{
		602,
		"A library or program of the image writes files by itself, in a place that the "
		"container's user cannot write: caches below HOME (which is / for a UID that the "
		"image does not know, and which useradd without -m does not make), log and PID "
		"files. `because` says where that is known from. It is known from packages that "
		"the Dockerfile installs, from the files of an image archive, from the image's "
		"command, or from a variable that only this library has.",
		"printf 'FROM python:3.12-slim\\nRUN pip install transformers\\n' >Dockerfile",
		"  app:\n"
		"    build: .\n"
		"    user: \"1001:1001\"\n",
		"Do what the advice says: a variable that names a directory which the user can "
		"write (best a mount), or a line of its configuration.",
	},
};

const struct br_code_page *br_code_page(br_code_number code) {
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].code == code) {
			return &all[i];
		}
	}
	return NULL;
}
