package exo

import (
	"context"
	"fmt"
	"log/slog"
)

// hidingHandler is a slog.Handler to which nothing private gets through.
type hidingHandler struct {
	slog.Handler
	private *private
}

func (h hidingHandler) Handle(ctx context.Context, r slog.Record) error {
	shown := slog.NewRecord(r.Time, r.Level, h.private.hide(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		shown.AddAttrs(h.hide(a))
		return true
	})
	return h.Handler.Handle(ctx, shown)
}

func (h hidingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hidingHandler{h.Handler.WithAttrs(h.hideAll(attrs)), h.private}
}

func (h hidingHandler) WithGroup(name string) slog.Handler {
	return hidingHandler{h.Handler.WithGroup(name), h.private}
}

// hide returns a with nothing private in its words.
func (h hidingHandler) hide(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, h.private.hide(v.String()))
	case slog.KindAny:
		return slog.String(a.Key, h.private.hide(fmt.Sprint(v.Any())))
	case slog.KindGroup:
		return slog.GroupAttrs(a.Key, h.hideAll(v.Group())...)
	}
	return a
}

func (h hidingHandler) hideAll(attrs []slog.Attr) []slog.Attr {
	shown := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		shown[i] = h.hide(a)
	}
	return shown
}
