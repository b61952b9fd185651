package audit

import "golang.org/x/sys/unix"

// fsTypes are what fstype compares: the magic numbers of file systems
// (include/uapi/linux/magic.h), by the names they are mounted with. auditctl has
// names for tracefs and debugfs, and in newer versions for cgroup and cgroup2.
var fsTypes = vocabulary{
	{unix.TRACEFS_MAGIC, "tracefs"}, {unix.DEBUGFS_MAGIC, "debugfs"},
	{unix.CGROUP_SUPER_MAGIC, "cgroup"}, {unix.CGROUP2_SUPER_MAGIC, "cgroup2"},

	// Of disks, and of the network.
	{unix.EXT4_SUPER_MAGIC, "ext4"}, {unix.EXT3_SUPER_MAGIC, "ext3"}, {unix.EXT2_SUPER_MAGIC, "ext2"},
	{unix.XFS_SUPER_MAGIC, "xfs"}, {unix.BTRFS_SUPER_MAGIC, "btrfs"}, {unix.BCACHEFS_SUPER_MAGIC, "bcachefs"},
	{unix.F2FS_SUPER_MAGIC, "f2fs"}, {unix.NILFS_SUPER_MAGIC, "nilfs2"}, {unix.REISERFS_SUPER_MAGIC, "reiserfs"},
	{unix.EROFS_SUPER_MAGIC_V1, "erofs"}, {unix.SQUASHFS_MAGIC, "squashfs"}, {unix.CRAMFS_MAGIC, "cramfs"},
	{unix.ISOFS_SUPER_MAGIC, "iso9660"}, {unix.UDF_SUPER_MAGIC, "udf"}, {unix.ZONEFS_MAGIC, "zonefs"},
	{unix.MSDOS_SUPER_MAGIC, "vfat"}, {unix.MSDOS_SUPER_MAGIC, "msdos"}, {unix.EXFAT_SUPER_MAGIC, "exfat"},
	{unix.HPFS_SUPER_MAGIC, "hpfs"}, {unix.JFFS2_SUPER_MAGIC, "jffs2"}, {unix.OCFS2_SUPER_MAGIC, "ocfs2"},
	{unix.ADFS_SUPER_MAGIC, "adfs"}, {unix.AFFS_SUPER_MAGIC, "affs"}, {unix.EFS_SUPER_MAGIC, "efs"},
	{unix.QNX4_SUPER_MAGIC, "qnx4"}, {unix.QNX6_SUPER_MAGIC, "qnx6"},
	{unix.NFS_SUPER_MAGIC, "nfs"}, {unix.NFS_SUPER_MAGIC, "nfs4"}, {unix.CIFS_SUPER_MAGIC, "cifs"},
	{unix.SMB2_SUPER_MAGIC, "smb3"}, {unix.CEPH_SUPER_MAGIC, "ceph"}, {unix.AFS_FS_MAGIC, "afs"},
	{unix.CODA_SUPER_MAGIC, "coda"}, {unix.V9FS_MAGIC, "9p"},

	// On top of others.
	{unix.OVERLAYFS_SUPER_MAGIC, "overlay"}, {unix.FUSE_SUPER_MAGIC, "fuse"}, {unix.FUSE_SUPER_MAGIC, "fuseblk"},
	{unix.FUSE_SUPER_MAGIC, "virtiofs"}, {unix.ECRYPTFS_SUPER_MAGIC, "ecryptfs"}, {unix.AUTOFS_SUPER_MAGIC, "autofs"},

	// Of memory, and of the kernel.
	{unix.TMPFS_MAGIC, "tmpfs"}, {unix.TMPFS_MAGIC, "devtmpfs"}, {unix.RAMFS_MAGIC, "ramfs"},
	{unix.HUGETLBFS_MAGIC, "hugetlbfs"}, {unix.PROC_SUPER_MAGIC, "proc"}, {unix.SYSFS_MAGIC, "sysfs"},
	{unix.DEVPTS_SUPER_MAGIC, "devpts"}, {unix.SECURITYFS_MAGIC, "securityfs"}, {unix.SELINUX_MAGIC, "selinuxfs"},
	{unix.SMACK_MAGIC, "smackfs"}, {unix.AAFS_MAGIC, "apparmorfs"}, {unix.BPF_FS_MAGIC, "bpf"},
	{unix.PSTOREFS_MAGIC, "pstore"}, {unix.EFIVARFS_MAGIC, "efivarfs"}, {unix.BINFMTFS_MAGIC, "binfmt_misc"},
	{unix.RDTGROUP_SUPER_MAGIC, "resctrl"}, {unix.BINDERFS_SUPER_MAGIC, "binder"}, {unix.XENFS_SUPER_MAGIC, "xenfs"},
	{unix.HOSTFS_SUPER_MAGIC, "hostfs"}, {unix.OPENPROM_SUPER_MAGIC, "openpromfs"}, {unix.NSFS_MAGIC, "nsfs"},
	{unix.PID_FS_MAGIC, "pidfs"}, {unix.PIPEFS_MAGIC, "pipefs"}, {unix.SOCKFS_MAGIC, "sockfs"},
	{unix.BDEVFS_MAGIC, "bdev"}, {unix.ANON_INODE_FS_MAGIC, "anon_inodefs"}, {unix.DMA_BUF_MAGIC, "dmabuf"},
	{unix.SECRETMEM_MAGIC, "secretmem"}, {unix.DAXFS_MAGIC, "dax"},

	// Not in magic.h: fs/configfs/mount.c, ipc/mqueue.c, fs/fuse/control.c,
	// net/sunrpc/rpc_pipe.c, fs/nfsd/nfsctl.c, fs/jfs/jfs_superblock.h,
	// include/uapi/linux/gfs2_ondisk.h, fs/ntfs3/super.c.
	{0x62656570, "configfs"}, {0x19800202, "mqueue"}, {0x65735543, "fusectl"}, {0x67596969, "rpc_pipefs"},
	{0x6e667364, "nfsd"}, {0x3153464a, "jfs"}, {0x01161970, "gfs2"}, {0x7366746e, "ntfs3"},
}
