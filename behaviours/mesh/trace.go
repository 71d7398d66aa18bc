package mesh

import (
	"context"
	"encoding/hex"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/topos-go/topos/actor"
)

// traceparentSize is that of a W3C header of version 00.
const traceparentSize = len("00-") + 32 + 1 + 16 + len("-00")

// traceparent is the W3C header of a span: version 00.
func traceparent(sc trace.SpanContext) []byte {
	b := make([]byte, traceparentSize)
	id, span := sc.TraceID(), sc.SpanID()
	flags := [...]byte{byte(sc.TraceFlags() & (trace.FlagsSampled | trace.FlagsRandom))}
	copy(b, "00-")
	hex.Encode(b[3:], id[:])
	b[35] = '-'
	hex.Encode(b[36:], span[:])
	b[52] = '-'
	hex.Encode(b[53:], flags[:])
	return b
}

// parseTraceparent is its inverse. Versions to come may have more at the end.
func parseTraceparent(b []byte) (trace.SpanContext, bool) {
	const size = traceparentSize
	if len(b) < size || b[2] != '-' || b[35] != '-' || b[52] != '-' {
		return trace.SpanContext{}, false
	}
	var version, flags [1]byte
	cfg := trace.SpanContextConfig{Remote: true}
	for _, part := range []struct{ to, from []byte }{
		{version[:], b[:2]}, {cfg.TraceID[:], b[3:35]}, {cfg.SpanID[:], b[36:52]}, {flags[:], b[53:size]},
	} {
		if !lowerHex(part.from) {
			return trace.SpanContext{}, false
		}
		if _, err := hex.Decode(part.to, part.from); err != nil {
			return trace.SpanContext{}, false
		}
	}
	if version[0] == 0xff || version[0] == 0 && len(b) != size || len(b) > size && b[size] != '-' {
		return trace.SpanContext{}, false
	}
	cfg.TraceFlags = trace.TraceFlags(flags[0]) & (trace.FlagsSampled | trace.FlagsRandom)
	sc := trace.NewSpanContext(cfg)
	return sc, sc.IsValid()
}

// lowerHex says whether b has no capitals, which the header must not have.
func lowerHex(b []byte) bool {
	for _, c := range b {
		if c >= 'A' && c <= 'F' {
			return false
		}
	}
	return true
}

// Extract returns ctx with the span that the message in hand belongs to, if it
// has one: ctx is that of actor.Self.Context, or of an rpc handler, and the span
// is what a tracer's Start takes as the parent. A ctx that has a span already,
// or no trace that can be read, is returned as it is.
func Extract(ctx context.Context) context.Context {
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	if sc, ok := parseTraceparent(actor.TraceFrom(ctx)); ok {
		return trace.ContextWithRemoteSpanContext(ctx, sc)
	}
	return ctx
}

// Inject returns ctx with its span as the trace that calls and messages carry.
// [Call] does it by itself.
func Inject(ctx context.Context) context.Context {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		return actor.ContextWithTrace(ctx, traceparent(sc))
	}
	return ctx
}

// Serve begins the span of a request that an instance handles, as part of its
// caller's trace; see [Extract]. What name says is up to the caller; the span
// must be ended. Without a Config.Tracer the span records nothing.
func (m *Mesh) Serve(ctx context.Context, name string) (context.Context, trace.Span) {
	ctx = Extract(ctx)
	if m.tracer == nil {
		return ctx, trace.SpanFromContext(context.Background())
	}
	ctx, span := m.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	return Inject(ctx), span
}

// spans is what a service needs to make spans of its calls, made ready once.
type spans struct {
	tracer trace.Tracer // nil: none are made
	name   string
	start  []trace.SpanStartOption
}

// scope is the name of the mesh's tracers.
const scope = "github.com/topos-go/topos/behaviours/mesh"

func newSpans(provider trace.TracerProvider, service string) spans {
	if provider == nil {
		return spans{}
	}
	// What all of its spans have in common is their scope's: an attribute of a span
	// costs a tenth of the span.
	tracer := provider.Tracer(scope, trace.WithInstrumentationAttributes(attribute.String("mesh.service", service)))
	return spans{tracer, "call " + service, []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)}}
}

// attributes are what a span of a call says of the instance.
func (in *instance) attributes() []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("mesh.instance", in.pid.String()), attribute.String("mesh.version", in.definition.Version),
	}
}

// traced begins the span of a call.
func (c *call) traced(ctx context.Context) context.Context {
	s := &c.service.spans
	if s.tracer == nil {
		return ctx
	}
	ctx, c.span = s.tracer.Start(Extract(ctx), s.name, s.start...)
	if sc := c.span.SpanContext(); sc.IsValid() {
		return actor.ContextWithTrace(ctx, traceparent(sc))
	}
	return ctx
}

// endSpan ends it.
func (c *call) endSpan(err error) {
	if c.span == nil {
		return
	}
	if c.in != nil && c.span.IsRecording() {
		c.span.SetAttributes(c.in.spanAttributes...)
	}
	if c.tries > 1 {
		c.span.SetAttributes(attribute.Int("mesh.tries", c.tries))
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		c.span.RecordError(err)
		c.span.SetStatus(codes.Error, err.Error())
	}
	c.span.End()
	c.span = nil
}
