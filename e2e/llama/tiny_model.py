"""Writes a llama model of about 0.2 MB with random weights, for tests of the wire and of counting.

Usage: tiny_model.py FILE

What it says is noise, but well-formed noise of a known length: only tokens that are printable
ASCII words can be produced, so every token is an event of its own in a stream (a partial UTF-8
sequence would be held back), and the end-of-sequence token cannot, so an answer is as long as
max_tokens allows. The seed is fixed: the same file comes out every time.
"""

import sys

import gguf
import numpy

LAYERS, WIDTH, HEADS, HIDDEN, CONTEXT = 1, 32, 1, 64, 16384
SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo"]

CHAT_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def vocabulary():
    """Returns tokens as (text, type), and the index of the first one that may be produced."""
    kind = gguf.TokenType
    tokens = [("<unk>", kind.UNKNOWN), ("<s>", kind.CONTROL), ("</s>", kind.CONTROL)]
    tokens += [(f"<0x{b:02X}>", kind.BYTE) for b in range(256)]
    tokens += [("\u2581" if c == 32 else chr(c), kind.NORMAL) for c in range(32, 127)]
    words = len(tokens)
    tokens += [("\u2581" + a + b, kind.NORMAL) for a in SYLLABLES for b in SYLLABLES]
    return tokens, words


def main(path):
    tokens, words = vocabulary()
    random = numpy.random.default_rng(42)

    def weights(*shape):
        return (random.standard_normal(shape) / numpy.sqrt(shape[-1])).astype(numpy.float32)

    w = gguf.GGUFWriter(path, "llama")
    w.add_name("tiny-random")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(WIDTH)
    w.add_block_count(LAYERS)
    w.add_feed_forward_length(HIDDEN)
    w.add_head_count(HEADS)
    w.add_head_count_kv(HEADS)
    w.add_rope_dimension_count(WIDTH // HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(len(tokens))
    w.add_tokenizer_model("llama")
    w.add_token_list([text for text, _ in tokens])
    w.add_token_scores([0.0 if i < words else -1000.0 for i in range(len(tokens))])
    w.add_token_types([kind for _, kind in tokens])
    w.add_unk_token_id(0)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_add_bos_token(True)
    w.add_add_space_prefix(False)
    w.add_chat_template(CHAT_TEMPLATE)

    # A row of zeros gives its token the logit 0, which the best of ~200 random words always beats.
    output = weights(len(tokens), WIDTH)
    output[:words] = 0
    w.add_tensor("token_embd.weight", weights(len(tokens), WIDTH))
    w.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
    w.add_tensor("output.weight", output)
    for i in range(LAYERS):
        w.add_tensor(f"blk.{i}.attn_norm.weight", numpy.ones(WIDTH, numpy.float32))
        w.add_tensor(f"blk.{i}.ffn_norm.weight", numpy.ones(WIDTH, numpy.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            w.add_tensor(f"blk.{i}.{name}.weight", weights(WIDTH, WIDTH))
        w.add_tensor(f"blk.{i}.ffn_gate.weight", weights(HIDDEN, WIDTH))
        w.add_tensor(f"blk.{i}.ffn_up.weight", weights(HIDDEN, WIDTH))
        w.add_tensor(f"blk.{i}.ffn_down.weight", weights(WIDTH, HIDDEN))

    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    main(sys.argv[1])
