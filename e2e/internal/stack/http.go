package stack

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// client is what the tests ask servers with.
var client = &http.Client{Timeout: 10 * time.Second}

// FreeAddress returns a loopback address that nothing listens on.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Get returns the body of an answer with status 200.
func Get(url string) ([]byte, error) { return request(http.MethodGet, url, "", http.StatusOK) }

// Post posts a JSON document, which has to be answered with 201 Created.
func Post(t *testing.T, url, document string) {
	t.Helper()
	if _, err := request(http.MethodPost, url, document, http.StatusCreated); err != nil {
		t.Fatal(err)
	}
}

// Delete sends a DELETE, which has to be answered with status 200.
func Delete(t *testing.T, url string) {
	t.Helper()
	if _, err := request(http.MethodDelete, url, "", http.StatusOK); err != nil {
		t.Fatal(err)
	}
}

// request returns the body of an answer, which has to have a status.
func request(method, url, document string, status int) ([]byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(document))
	if err != nil {
		return nil, err
	}
	if document != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != status {
		err = fmt.Errorf("%s %s %s: %s: %s", method, url, document, resp.Status, body)
	}
	return body, err
}

// Answers reports whether url is answered with status 200.
func Answers(url string) bool {
	_, err := Get(url)
	return err == nil
}

// cleanup is how long before the test runner's own deadline waiting ends, so that there is time
// left to end what runs and to show what it printed: after that deadline nobody does.
const cleanup = 30 * time.Second

// Poll calls ok every interval until it returns true. It returns false when that does not come
// about.
func Poll(t *testing.T, within, interval time.Duration, ok func() bool) bool {
	t.Helper()
	deadline := time.Now().Add(within)
	if end, limited := t.Deadline(); limited && end.Add(-cleanup).Before(deadline) {
		deadline = end.Add(-cleanup)
	}
	for !ok() {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(interval)
	}
	return true
}

// Eventually calls ok every interval until it returns true, or fails the test.
func Eventually(t *testing.T, within, interval time.Duration, what string, ok func() bool) {
	t.Helper()
	begin := time.Now()
	if !Poll(t, within, interval, ok) {
		t.Fatalf("not within %v: %s", time.Since(begin).Round(time.Second), what)
	}
}

// Sample returns the value of a series of an exposition, false when it is not there.
func Sample(exposition []byte, series string) (string, bool) {
	for line := range strings.Lines(string(exposition)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// Shows returns a condition: that the exporter at address exports a series with a value.
func Shows(address, series, value string) func() bool {
	return func() bool {
		body, err := Get("http://" + address + "/metrics")
		got, ok := Sample(body, series)
		return err == nil && ok && got == value
	}
}
