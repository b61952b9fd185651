package scenario

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

// notified stands for a service manager: `notified FILE` listens at $NOTIFY_SOCKET
// (sd_notify(3)) and writes what it is told to the file, a line each, until it is
// killed.
func notified() {
	file, err := os.Create(os.Args[1])
	orEnd(err)
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: os.Getenv("NOTIFY_SOCKET"), Net: "unixgram"})
	orEnd(err)
	fmt.Fprintln(file, "listening")
	message := make([]byte, 1<<16)
	for {
		n, err := c.Read(message)
		orEnd(err)
		fmt.Fprintln(file, strings.TrimSpace(string(message[:n])))
	}
}

// ask stands for Prometheus and a health check: `ask ADDRESS PATH` prints what an HTTP
// server answers at HOST:PORT or unix:SOCKET, and ends with status 1 when that is not
// a success.
func ask() {
	network, address := "tcp", os.Args[1]
	if socket, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", socket
	}
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}
	answer, err := client.Get("http://watcher" + os.Args[2])
	orEnd(err)
	_, err = io.Copy(os.Stdout, answer.Body)
	orEnd(err)
	if answer.StatusCode != http.StatusOK {
		fmt.Fprintln(os.Stderr, answer.Status)
		os.Exit(1)
	}
}

func orEnd(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "scenario:", err)
		os.Exit(1)
	}
}
