package exosim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"syscall"
)

// Transport returns a RoundTripper that calls the node in process, without sockets. It
// streams: what the node writes can be read at once. Closing a body, or cancelling the request, is a disconnect. Every request
// is a new connection, which is announced to an httptrace.ClientTrace.
func (n *Node) Transport() http.RoundTripper { return transport{n} }

type transport struct{ node *Node }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if _, down := t.node.active(Unreachable, ""); down {
		closeBody(req)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		if trace.ConnectStart != nil {
			trace.ConnectStart("tcp", req.URL.Host)
		}
		if trace.ConnectDone != nil {
			trace.ConnectDone("tcp", req.URL.Host, nil)
		}
		if trace.GotConn != nil {
			trace.GotConn(httptrace.GotConnInfo{})
		}
	}
	ctx, cancel := context.WithCancel(req.Context())
	body := newPipe()
	w := &pipeWriter{header: http.Header{}, body: body, ready: make(chan struct{})}
	sreq := req.Clone(ctx)
	sreq.RequestURI = req.URL.RequestURI()
	sreq.RemoteAddr = "pipe"
	if sreq.Body == nil {
		sreq.Body = http.NoBody
	}
	unhook := context.AfterFunc(t.node.ctx, func() { w.reset(io.ErrUnexpectedEOF) })
	hangUp := context.AfterFunc(ctx, func() { body.breakOff(context.Cause(ctx)) })
	started := t.node.spawn(func() {
		defer unhook()
		defer closeBody(req)
		w.serve(t.node, sreq)
	})
	if !started {
		unhook()
		hangUp()
		cancel()
		closeBody(req)
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	select {
	case <-w.ready:
	case <-ctx.Done():
		cancel()
		return nil, ctx.Err()
	}
	if w.failure != nil {
		cancel()
		return nil, w.failure
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode: w.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        w.sent,
		Body:          &pipeBody{pipe: body, cancel: cancel, hangUp: hangUp},
		ContentLength: -1,
		Request:       req,
	}, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// pipeBody is a response's body whose Close disconnects.
type pipeBody struct {
	pipe   *pipe
	cancel context.CancelFunc
	hangUp func() bool
}

func (b *pipeBody) Read(p []byte) (int, error) { return b.pipe.Read(p) }

func (b *pipeBody) Close() error {
	b.hangUp()
	b.cancel()
	b.pipe.breakOff(http.ErrBodyReadAfterClose)
	return nil
}

// pipeWriter is the server's side of a round trip.
type pipeWriter struct {
	header http.Header
	body   *pipe
	ready  chan struct{} // closed when status, sent and failure are final

	once    sync.Once
	status  int
	sent    http.Header
	failure error
}

func (w *pipeWriter) serve(h http.Handler, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			w.reset(io.ErrUnexpectedEOF)
			return
		}
		if gone := context.Cause(r.Context()); gone != nil {
			w.body.breakOff(gone)
		}
		w.WriteHeader(http.StatusOK)
		w.body.finish(io.EOF)
	}()
	h.ServeHTTP(w, r)
}

// reset breaks the connection with err; it does nothing once the answer has ended.
func (w *pipeWriter) reset(err error) {
	w.once.Do(func() {
		w.failure = err
		close(w.ready)
	})
	w.body.finish(err)
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush sends the header; bodies are never buffered.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }
