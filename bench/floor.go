package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:embed floor/floor.c
var floorSource []byte

// buildFloor compiles floor/floor.c. Without a C compiler the workers below stand in.
func buildFloor(ctx context.Context, dir string) error {
	cc, err := exec.LookPath("gcc")
	if err != nil {
		if cc, err = exec.LookPath("cc"); err != nil {
			return nil
		}
	}
	source := filepath.Join(dir, "floor.c")
	if err := os.WriteFile(source, floorSource, 0o644); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, cc, "-O2", "-o", filepath.Join(dir, "floor"), source).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s floor.c: %w\n%s", cc, err, out)
	}
	return nil
}

// rawFloor is floor.c in Go.
type rawFloor struct {
	fd  int
	seq uint32
	in  []byte
}

func openRawFloor() (*rawFloor, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	for _, opt := range []int{unix.NETLINK_GET_STRICT_CHK, unix.NETLINK_CAP_ACK} {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, opt, 1); err != nil {
			return nil, err
		}
	}
	return &rawFloor{fd: fd, in: make([]byte, 32768)}, nil
}

// header returns the message at the beginning of b and its length with padding.
func header(b []byte) (*unix.NlMsghdr, int) {
	h := (*unix.NlMsghdr)(unsafe.Pointer(unsafe.SliceData(b)))
	return h, int(h.Len+3) &^ 3
}

func (f *rawFloor) answers() (objects int, err error) {
	for {
		n, err := unix.Read(f.fd, f.in)
		if err != nil {
			return 0, err
		}
		for b := f.in[:n]; len(b) >= unix.NLMSG_HDRLEN; {
			h, size := header(b)
			switch h.Type {
			case unix.NLMSG_DONE:
				return objects, nil
			case unix.NLMSG_ERROR:
				if e := *(*int32)(unsafe.Pointer(&b[unix.NLMSG_HDRLEN])); e != 0 {
					return 0, fmt.Errorf("message %d: %w", h.Seq, unix.Errno(-e))
				}
				if h.Seq == f.seq {
					return objects, nil
				}
			default:
				objects++
			}
			b = b[min(size, len(b)):]
		}
	}
}

func (f *rawFloor) send(b []byte, per int) (sent int, err error) {
	for len(b) > 0 {
		end := 0
		var last *unix.NlMsghdr
		for i := 0; i < per && end < len(b); i++ {
			h, size := header(b[end:])
			f.seq++
			h.Seq, last = f.seq, h
			end += size
			sent++
		}
		last.Flags |= unix.NLM_F_ACK
		if _, err := unix.Write(f.fd, b[:end]); err != nil {
			return sent, err
		}
		if _, err := f.answers(); err != nil {
			return sent, err
		}
		b = b[end:]
	}
	return sent, nil
}

func (f *rawFloor) dump(b []byte) (objects int, err error) {
	for len(b) > 0 {
		h, size := header(b)
		f.seq++
		h.Seq = f.seq
		if _, err := unix.Write(f.fd, b[:h.Len]); err != nil {
			return objects, err
		}
		n, err := f.answers()
		objects += n
		if err != nil {
			return objects, err
		}
		b = b[size:]
	}
	return objects, nil
}

// floorWorker is the main function of floor.c in Go.
func floorWorker(args []string) (Sample, error) {
	if len(args) != 3 {
		return Sample{}, errors.New("floor send|dump FILE N")
	}
	messages, err := os.ReadFile(args[1])
	if err != nil {
		return Sample{}, err
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return Sample{}, err
	}
	f, err := openRawFloor()
	if err != nil {
		return Sample{}, err
	}
	if args[0] == "dump" {
		return measure(n, func() (int, error) { return f.dump(messages) })
	}
	sent := 0
	s, err := once(func() (err error) {
		sent, err = f.send(messages, n)
		return err
	})
	s.Objects = sent
	return s, err
}
