package record

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
)

// maxPage bounds the records of a page in bytes, but for the first.
const maxPage = 1 << 20

// Page returns the latest records that Find knows, newest first, at most limit of them: all, or those from
// before the one whose id is before. next is the id after which there are more, "" where there are none. The error
// is os.ErrNotExist where no such record is known.
func (k *Keeper) Page(before string, limit int) (page []json.RawMessage, next string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	older := k.order
	if before != "" {
		i := slices.Index(k.order, before)
		if i < 0 {
			return nil, "", os.ErrNotExist
		}
		older = k.order[:i]
	}
	page, size, last := []json.RawMessage{}, 0, ""
	for _, id := range slices.Backward(older) {
		if len(page) == limit || size >= maxPage {
			return page, last, nil
		}
		line, err := k.line(k.known[id])
		if errors.Is(err, os.ErrNotExist) { // rotated away, as all older ones are
			break
		}
		if err != nil {
			return nil, "", err
		}
		page, size, last = append(page, line), size+len(line), id
	}
	return page, "", nil
}
