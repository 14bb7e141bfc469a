package record

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"exo-bench-exporter/workload/regular"
)

// entry is a record that is kept.
type entry struct {
	id string
	at place
}

// index returns the newest records that the files hold, oldest first, at most most of them. Lines that are no records
// are passed over.
func (l *log) index(ctx context.Context, most int) (all []entry, err error) {
	for i := 0; i < files && len(all) < most && ctx.Err() == nil; i++ {
		older, err := l.indexFile(ctx, i)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return all, err
		}
		all = append(older[max(0, len(older)-(most-len(all))):], all...)
	}
	return all, nil
}

// indexFile returns the records in the file that was written to i rotations ago.
func (l *log) indexFile(ctx context.Context, i int) (all []entry, err error) {
	f, err := regular.Open(nth(l.path, i))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	for offset := int64(0); ctx.Err() == nil; {
		head, length, err := skipLine(in)
		if id, ok := idOf(head); ok && length <= maxLine {
			all = append(all, entry{id, place{l.generation - i, offset, int(length)}})
		}
		offset += length
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// skipLine reads a line and returns its beginning and its length, newline included. What stands at the end without one was
// broken off.
func skipLine(in *bufio.Reader) (head []byte, length int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if length == 0 {
			head = bytes.Clone(part[:min(len(part), 512)])
		}
		length += int64(len(part))
		switch {
		case err == nil:
			return head, length, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, length, err
		}
	}
}

// idOf returns the id in the beginning of a record, of a schema that is known: these two come first.
func idOf(head []byte) (id string, ok bool) {
	tokens := json.NewDecoder(bytes.NewReader(head))
	var begin [5]json.Token
	for i := range begin {
		var err error
		if begin[i], err = tokens.Token(); err != nil {
			return "", false
		}
	}
	schema, _ := begin[2].(float64)
	id, ok = begin[4].(string)
	return id, ok && begin[0] == json.Delim('{') && begin[1] == "schema" && schema >= 1 && schema <= Schema && begin[3] == "id"
}

// recall makes known what was kept before, so that pages lead there. What is wrong with the files, writing to them will say.
func (k *Keeper) recall(ctx context.Context) {
	kept, err := k.log.index(ctx, maxKnown)
	if err != nil {
		k.o.Logger.Debug("Not all records that were kept before can be listed", "file", k.o.Path, "err", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range kept {
		k.remember(e.id, e.at)
	}
}
