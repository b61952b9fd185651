package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nlapply/nlapply/netlink"
	"github.com/nlapply/nlapply/netlink/route"
)

// A process runs beside the measurement until it is stopped.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer // workers end with it
	output syncBuffer
	once   sync.Once
}

// syncBuffer is a buffer that can be read while a process writes to it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// startWorker starts a worker of this program in the stage.
func (s *Stage) startWorker(name string, args ...string) (*process, error) {
	return s.startProcess("/proc/self/exe", append([]string{"worker", name}, args...)...)
}

func (s *Stage) startProcess(name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	return p, s.ns.Do(p.cmd.Start)
}

// stop ends the process and waits for it. It may be called again.
func (p *process) stop() {
	p.once.Do(func() {
		p.stdin.Close()
		if filepath.Base(p.cmd.Path) == "nlapply" {
			p.cmd.Process.Signal(os.Interrupt)
		}
		p.cmd.Wait()
	})
}

// count counts a text in what it has printed.
func (p *process) count(text string) int { return strings.Count(p.output.String(), text) }

// complaints shows what it logged as wrong: what it leaves alone for a while because
// of that takes longer.
func (p *process) complaints() {
	for line := range strings.Lines(p.output.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			fmt.Fprint(os.Stderr, line)
		}
	}
}

// status returns a line of /proc/PID/status.
func (p *process) status(key string) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		if k, value, _ := strings.Cut(line, ":"); k == key {
			return strings.TrimSpace(value)
		}
	}
	return "?"
}

// cpu returns how long it has computed so far.
func (p *process) cpu() time.Duration {
	total := time.Duration(0)
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		first, _, _ := strings.Cut(string(b), " ")
		ns, _ := strconv.Atoi(first)
		total += time.Duration(ns)
	}
	return total.Round(10 * time.Microsecond)
}

// files returns how many descriptors it has open.
func (p *process) files() int {
	fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	return len(fds)
}

// foreignRoute is a route of another program.
func foreignRoute(i int, table uint32) *route.Route {
	return &route.Route{Family: unix.AF_INET, Table: table, Type: unix.RTN_BLACKHOLE, Protocol: foreignProtocol,
		Dst: netip.PrefixFrom(ipv4(32, i>>16, i>>8, i), 32)}
}

// addForeign makes n routes of another program in another table.
func (s *Stage) addForeign(n int) error {
	if n == 0 {
		return nil
	}
	file, err := s.file(fmt.Sprintf("foreign-%d", n), func(w *bufio.Writer) {
		m := &messageWriter{Writer: w}
		for i := range n {
			m.add(unix.RTM_NEWROUTE, create, foreignRoute(i, 2000))
		}
	})
	if err == nil {
		_, err = s.floor("send", file, 1000)
	}
	return err
}

// untilStdinEnds closes the channel when the process is told to end.
func untilStdinEnds() chan struct{} {
	end := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(end)
	}()
	return end
}

// floodWorker has routes of another program come and go in a table, so many a second,
// and prints how many it were.
func floodWorker(args []string) error {
	if len(args) != 2 {
		return errors.New("heal-flood TABLE RATE")
	}
	table, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	rate, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	const batch = 200
	var add, del bytes.Buffer
	for _, b := range []*bytes.Buffer{&add, &del} {
		w := &messageWriter{Writer: bufio.NewWriter(b)}
		for i := range batch {
			if b == &add {
				w.add(unix.RTM_NEWROUTE, create, foreignRoute(i, uint32(table)))
			} else {
				w.add(unix.RTM_DELROUTE, 0, foreignRoute(i, uint32(table)))
			}
		}
		w.Flush()
	}
	f, err := openRawFloor()
	if err != nil {
		return err
	}
	end, began, done := untilStdinEnds(), time.Now(), 0
	for {
		select {
		case <-end:
			fmt.Printf("%.0f a second\n", float64(done)/time.Since(began).Seconds())
			return nil
		default:
		}
		// What it is behind by, but not so much that it does not look at the end.
		due := min(int(time.Since(began).Seconds()*float64(rate)), done+50*batch)
		for ; done < due; done += batch {
			for _, messages := range [][]byte{add.Bytes(), del.Bytes()} {
				if _, err := f.send(messages, batch); err != nil {
					return err
				}
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// pollerWorker is the floor of healing: it makes routes again when an event says that
// they were deleted, and knows nothing else.
func pollerWorker([]string) error {
	again := map[netip.Addr][]byte{}
	var index int32
	c, err := route.Dial(netlink.Config{})
	if err != nil {
		return err
	}
	l, err := c.LinkByName(context.Background(), "h")
	c.Close()
	if err != nil {
		return err
	}
	index = l.Index
	for i := range healObjects {
		var b bytes.Buffer
		w := &messageWriter{Writer: bufio.NewWriter(&b)}
		w.add(unix.RTM_NEWROUTE, create, &route.Route{
			Family: unix.AF_INET, Table: unix.RT_TABLE_MAIN, Type: unix.RTN_UNICAST, Protocol: protocol,
			Dst: netip.PrefixFrom(destination(i), 32), Gateway: ipv4(10, 0, 0, 2), OIF: index,
		})
		w.Flush()
		again[destination(i)] = b.Bytes()
	}
	events, err := listenRaw()
	if err != nil {
		return err
	}
	f, err := openRawFloor()
	if err != nil {
		return err
	}
	fmt.Println("ready")
	end, buf := untilStdinEnds(), make([]byte, 1<<16)
	for {
		select {
		case <-end:
			return nil
		default:
		}
		n, _ := unix.Read(events, buf)
		for b := buf[:max(n, 0)]; len(b) >= unix.NLMSG_HDRLEN+unix.SizeofRtMsg+8; {
			h, size := header(b)
			if dst := b[unix.NLMSG_HDRLEN+unix.SizeofRtMsg:]; h.Type == unix.RTM_DELROUTE && binary.NativeEndian.Uint16(dst[2:]) == unix.RTA_TABLE {
				dst = dst[8:] // RTA_TABLE comes first (net/ipv4/fib_semantics.c, fib_dump_info)
				if a, ok := netip.AddrFromSlice(dst[4:8]); ok && again[a] != nil {
					if _, err := f.send(again[a], 1); err != nil {
						return err
					}
				}
			}
			b = b[min(size, len(b)):]
		}
	}
}
