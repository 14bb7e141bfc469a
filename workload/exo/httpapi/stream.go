package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"exo-bench-exporter/workload/exo/foreign"
)

// Stream makes one call without a body and hands the answer to read as it comes, at most
// limit bytes of it. Any status but 200 is a *StatusError; an error of read is wrapped.
func (c *Client) Stream(ctx context.Context, method, path string, limit int64, read func(io.Reader) error) error {
	return c.do(ctx, method, path, nil, limit, read)
}

// do makes one call, with what as JSON unless it is nil.
func (c *Client) do(ctx context.Context, method, path string, what any, limit int64, read func(io.Reader) error) error {
	req, err := c.NewRequest(ctx, method, path, what)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, c.Explain(cause(err)))
	}
	defer resp.Body.Close()
	c.simulated.Store(resp.Header.Get(SimulatorHeader) != "")
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // half a message is better than none
		return c.Status(method, path, resp, b)
	}
	body := bufio.NewReader(foreign.Body{Reader: resp.Body})
	begin, _ := body.Peek(2) // read will say what is the matter with it
	if packed := Compressed(resp.Header, begin); packed != nil {
		return fmt.Errorf("the answer to %s %s is %w", method, path, packed)
	}
	answer := &bounded{r: body, left: limit}
	if err := read(answer); err != nil {
		if answer.left < 0 {
			err = fmt.Errorf("it is %w of %d bytes", ErrTooLong, limit)
		}
		return fmt.Errorf("the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// maxErrorBody bounds what is read of the body of an error, in bytes.
const maxErrorBody = 64 << 10

// ErrTooLong says that an answer is longer than what is read of it.
var ErrTooLong = errors.New("longer than the limit")

// bounded is a reader that fails, rather than ends, beyond a limit.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLong
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, ErrTooLong
	}
	return n, err
}
