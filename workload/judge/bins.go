package judge

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// bins are the quarters of an hour of a habit, each empty or a logarithm in units of habitUnit.
type bins []int16

// MarshalJSON writes two bytes a bin in base64.
func (b bins) MarshalJSON() ([]byte, error) {
	text := make([]byte, 0, base64.StdEncoding.EncodedLen(2*len(b))+len(`""`))
	text = append(text, '"')
	var room [96]byte // whole groups of base64
	for some := range slices.Chunk(b, len(room)/2) {
		raw := room[:0]
		for _, v := range some {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
		}
		text = base64.StdEncoding.AppendEncode(text, raw)
	}
	return append(text, '"'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (b *bins) UnmarshalJSON(text []byte) error {
	var raw []byte
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	if len(raw) != 0 && len(raw) != 2*habitBins {
		return fmt.Errorf("a habit of %d bytes", len(raw))
	}
	*b = nil
	for i := 0; i < len(raw); i += 2 {
		*b = append(*b, int16(binary.LittleEndian.Uint16(raw[i:])))
	}
	return nil
}
