package scenario

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Lines as strace 6.1 prints them; the second process runs in another network
// namespace, where strace knows the numbers only.
const trace = `6765  socket(0x10 /* AF_NETLINK */, 0x3 /* SOCK_RAW */|0x80000 /* SOCK_CLOEXEC */, 0 /* NETLINK_ROUTE */) = 3
6765  openat(-100 /* AT_FDCWD */</tmp>, "/proc/sys/net/ipv4/ip_forward", 0x80000 /* O_RDONLY|O_CLOEXEC */) = 4
6765  openat(5</proc/sys/net>, "\x69\x70\x76\x34\x2f\x78", 0x80001 /* O_WRONLY|O_CLOEXEC */) = 4
6765  write(1</dev/null>, "\x2b\x20", 2) = 2
6765  sendmsg(3<socket:[123]>, {msg_iov=[{iov_base=[{nlmsg_len=48, nlmsg_type=0x12 /* RTM_GETLINK */, nlmsg_flags=0x1}, {ifi_family=0}]}]}, 0) = 48
6765  sendmsg(3<socket:[123]>, {msg_iov=[{iov_base=[[{nlmsg_len=32, nlmsg_type=0x10 /* RTM_NEWLINK */}], [{nlmsg_len=32, nlmsg_type=0x19 /* RTM_DELROUTE */}]]}]}, 0) = 64
6766  socket(0x10 /* AF_NETLINK */, 0x3 /* SOCK_RAW */|0x80000 /* SOCK_CLOEXEC */, 0 /* NETLINK_ROUTE */ <unfinished ...>
6767  sendto(3<socket:[123]>, [{nlmsg_len=32, nlmsg_type=0x6c /* NLMSG_??? */, nlmsg_flags=0x5}], 32, 0, NULL, 0 <unfinished ...>
6766  <... socket resumed>) = 7<socket:[124]>
6767  <... sendto resumed>) = 32
6766  sendto(7<socket:[124]>, [{nlmsg_len=32, nlmsg_type=0x66 /* NLMSG_??? */}], 32, 0, NULL, 0) = 32
6766  write(7<socket:[124]>, "\x10\x00\x00\x00\x12\x00\x01\x03\x01\x00\x00\x00\x00\x00\x00\x00\x11\x00\x00\x00\x14\x00\x01\x03\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 36) = 36
6766  write(7<socket:[124]>, "\x10\x00\x00\x00\x12\x00"..., 36) = 36
6766  socket(0x10 /* AF_NETLINK */, 0x3 /* SOCK_RAW */, 0x9 /* NETLINK_AUDIT */) = 8<socket:[125]>
6766  sendto(8<socket:[125]>, [{nlmsg_len=32, nlmsg_type=0x3e8 /* AUDIT_GET */}], 32, 0, NULL, 0) = 32
6766  sendto(8<socket:[125]>, [{nlmsg_len=32, nlmsg_type=0x3f3 /* AUDIT_ADD_RULE */}], 32, 0, NULL, 0) = 32
6766  write(8<socket:[126]>, "\x48\x54\x54\x50", 4) = 4
6765  +++ exited with 0 +++
`

func TestChangesIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(file, []byte(trace), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := changesIn(file)
	if err != nil {
		t.Fatal(err)
	}
	want := []change{
		{"open /proc/sys/net/ipv4/x", "", 0},
		{"RTM_NEWLINK", "sendmsg", 2},
		{"RTM_DELROUTE", "sendmsg", 2},
		{"RTM_NEWLINKPROP", "sendto", 1},
		{"RTM_NEWADDR", "write", 1},
		{"write with unknown messages to netlink protocol 0", "write", 2},
		{"AUDIT(1011)", "sendto", 3},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(change{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestBefore(t *testing.T) {
	for _, tt := range []struct {
		have, want string
		older      bool
	}{
		{"6.1.0-56-cloud-amd64", "6.7", true},
		{"6.12.117+deb12-cloud-amd64", "6.7", false},
		{"6.18.44", "6.18", false},
		{"5.18.0", "6", true},
		{"6.1.0-56-cloud-amd64", "6.1", false},
	} {
		if older, err := before(tt.have, tt.want); err != nil || older != tt.older {
			t.Errorf("before(%q, %q) = %v, %v", tt.have, tt.want, older, err)
		}
	}
}
