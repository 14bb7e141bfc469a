"""Writes a copy of a GGUF file of which one tensor is broken.

Usage: break_model.py FILE COPY TENSOR swap|zero

swap exchanges the two halves of the tensor's data, zero fills them with zeros; everything else
stays as it is, so that the copy loads as the original does.
"""

import sys

import gguf


def main(source, copy, name, how):
    tensor = next(t for t in gguf.GGUFReader(source).tensors if t.name == name)
    begin, length = int(tensor.data_offset), int(tensor.n_bytes)
    with open(source, "rb") as f:
        data = bytearray(f.read())
    old = bytes(data[begin : begin + length])
    half = length // 2
    data[begin : begin + length] = {"swap": old[half:] + old[:half], "zero": bytes(length)}[how]
    if bytes(data[begin : begin + length]) == old:
        sys.exit(f"{name} of {source} is the same in both ways")
    with open(copy, "wb") as f:
        f.write(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
