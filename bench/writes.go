package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

var (
	// decoded are the messages of sendmsg(2) and sendto(2), which strace looks into.
	decoded = regexp.MustCompile(`nlmsg_type=(\w+)`)
	// written is what write(2) sends, which it prints as bytes.
	written = regexp.MustCompile(`^\d+ +write\(\d+<NETLINK:[^>]*>, "([^"]*)"`)
)

// writes runs a command under strace and counts the messages that it sends to
// change something. Without strace they are not counted.
func (s *Stage) writes(argv ...string) (Sample, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return Sample{}, nil
	}
	trace := filepath.Join(s.dir, "trace")
	defer os.Remove(trace)
	sample, err := s.process(append([]string{strace, "-f", "-v", "-X", "raw", "-yy", "-xx", "-s", "1000000", "-o", trace,
		"-e", "trace=sendmsg,sendto,sendmmsg,write,writev", "-e", "signal=none"}, argv...)...)
	if err != nil {
		return sample, err
	}
	f, err := os.Open(trace)
	if err != nil {
		return sample, err
	}
	defer f.Close()
	messages, writes := 0, 0
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadString('\n')
		for _, typ := range typesIn(line) {
			const get = 2 // net/core/rtnetlink.c, rtnl_msgtype_kind: the two low bits are NEW, DEL, GET, SET
			messages++
			if typ >= unix.RTM_BASE && typ%4 != get {
				writes++
			}
		}
		if err != nil {
			break
		}
	}
	if messages == 0 {
		return sample, errors.New("strace shows no message, not even of a dump")
	}
	sample.Writes = &writes
	return sample, nil
}

// typesIn returns the types of the messages that a system call sends.
func typesIn(call string) (types []uint64) {
	for _, m := range decoded.FindAllStringSubmatch(call, -1) {
		typ, err := strconv.ParseUint(m[1], 0, 16)
		if err != nil {
			typ = unix.RTM_BASE // what cannot be read counts as a write
		}
		types = append(types, typ)
	}
	m := written.FindStringSubmatch(call)
	if m == nil {
		return types
	}
	b, err := hex.DecodeString(strings.ReplaceAll(m[1], `\x`, ""))
	if err != nil || len(b)%4 != 0 {
		return append(types, unix.RTM_BASE)
	}
	for len(b) >= unix.NLMSG_HDRLEN {
		h, size := header(b)
		types = append(types, uint64(h.Type))
		b = b[min(max(size, unix.NLMSG_HDRLEN), len(b)):]
	}
	return types
}
