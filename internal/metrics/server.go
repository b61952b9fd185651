package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"
)

// Listen opens the address that metrics are asked for at: HOST:PORT, or unix:PATH.
func Listen(address string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(address, "unix:")
	if !isUnix {
		return net.Listen("tcp", address)
	}
	if path == "" {
		return nil, errors.New("no path")
	}
	l, err := net.Listen("unix", path)
	if errors.Is(err, unix.EADDRINUSE) && isAbandoned(path) {
		if err = os.Remove(path); err == nil {
			l, err = net.Listen("unix", path)
		}
	}
	return l, err
}

// isAbandoned tells whether a file is a socket that nobody listens at: one that was
// killed leaves it behind.
func isAbandoned(path string) bool {
	if i, err := os.Lstat(path); err != nil || i.Mode().Type() != os.ModeSocket {
		return false
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, unix.ECONNREFUSED)
}

// Serve answers at a listener until ctx ends: /metrics, /healthz and /readyz.
func (w *Watcher) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{
		Handler:           w.handler(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (w *Watcher) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.GathererFunc(w.gather), promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", check(w.Healthy))
	mux.HandleFunc("GET /readyz", check(w.Ready))
	return mux
}

// check answers 200, or 503 with the reason.
func check(f func() error) http.HandlerFunc {
	return func(to http.ResponseWriter, _ *http.Request) {
		to.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := f(); err != nil {
			to.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(to, err)
			return
		}
		fmt.Fprintln(to, "ok")
	}
}
