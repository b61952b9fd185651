package scenario

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// flood is another program that makes and deletes very many routes, as fast as the
// kernel takes them:
//
//	flood [-n N] [-table TABLE] [COMMAND...]
//
// It makes N blackhole routes of protocol 186 (bgp) and deletes them again. The
// commands of the shell are run among them, at equal distances.
func flood() {
	flags := flag.NewFlagSet("flood", flag.ExitOnError)
	n := flags.Int("n", 100_000, "how many routes")
	table := flags.Uint("table", 1000, "in which table")
	flags.Parse(os.Args[1:])
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	check(err)
	f := &flooder{fd: fd, table: uint32(*table)}
	total, done := 2**n, 0
	for i, command := range flags.Args() {
		until := total * (i + 1) / (flags.NArg() + 1)
		check(f.send(done, until, *n))
		cmd := exec.Command("sh", "-ec", command)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		check(cmd.Run())
		done = until
	}
	check(f.send(done, total, *n))
}

// A flooder sends requests for routes.
type flooder struct {
	fd    int
	table uint32
}

// batchOf is how many requests are sent at once: all answers fit the buffer.
const batchOf = 200

// send makes the routes from one number to another; those from n on are deletions
// of the first n.
func (f *flooder) send(from, to, n int) error {
	for i := from; i < to; i += batchOf {
		var batch []byte
		for j := i; j < min(i+batchOf, to); j++ {
			typ, flags := uint16(unix.RTM_NEWROUTE), uint16(unix.NLM_F_REQUEST|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
			if j >= n {
				typ, flags = unix.RTM_DELROUTE, unix.NLM_F_REQUEST
			}
			if j == min(i+batchOf, to)-1 {
				flags |= unix.NLM_F_ACK
			}
			batch = append(batch, f.request(typ, flags, uint32(j%n))...)
		}
		if err := unix.Sendto(f.fd, batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return err
		}
		if err := f.answer(); err != nil {
			return fmt.Errorf("route %d: %w", i, err)
		}
	}
	return nil
}

// request is a request for a route by its number.
func (f *flooder) request(typ, flags uint16, number uint32) []byte {
	body := []byte{unix.AF_INET, 32, 0, 0, 0, 186, unix.RT_SCOPE_UNIVERSE, unix.RTN_BLACKHOLE, 0, 0, 0, 0} // struct rtmsg
	body = append(body, attr(unix.RTA_DST, binary.BigEndian.AppendUint32(nil, 20<<24+number))...)
	body = append(body, attr(unix.RTA_TABLE, binary.NativeEndian.AppendUint32(nil, f.table))...)
	head := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	head = binary.NativeEndian.AppendUint16(head, typ)
	head = binary.NativeEndian.AppendUint16(head, flags)
	return append(append(head, make([]byte, 8)...), body...)
}

// answer reads the answer to a batch: an error of any of its requests comes first.
func (f *flooder) answer() error {
	buf := make([]byte, 8192)
	n, _, err := unix.Recvfrom(f.fd, buf, 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(buf[4:]) != unix.NLMSG_ERROR {
		return errors.New("an answer that is none")
	}
	if code := int32(binary.NativeEndian.Uint32(buf[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
