package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
)

// callRunning calls the exporter that listens at the given address on this machine, by HTTP and, where that is not
// the end of it, by HTTPS. answer says what an answer means, and whether it is the end; it need not close the body. The
// error is that of the last call.
func callRunning(
	ctx context.Context, listen, method, path string, answer func(address string, resp *http.Response) (end bool, err error),
) error {
	client := &http.Client{Transport: &http.Transport{
		// The certificate is for the name by which Prometheus calls, not for the loopback address; nothing secret is
		// sent or read.
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
		DisableKeepAlives: true,
	}}
	call := func(address string) (end bool, err error) {
		req, err := http.NewRequestWithContext(ctx, method, address, nil)
		if err != nil {
			return false, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return false, err
		}
		defer resp.Body.Close()
		return answer(address, resp)
	}
	end, err := call("http://" + loopback(listen) + path)
	if !end {
		_, err = call("https://" + loopback(listen) + path)
	}
	return err
}

// loopback turns an address to listen on into one to call from the same machine.
func loopback(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
