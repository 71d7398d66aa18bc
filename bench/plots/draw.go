package main

import (
	"fmt"
	"image/color"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The size of a figure.
const width, height = 16 * vg.Centimeter, 9 * vg.Centimeter

// line is one of a figure. Lines are told apart without color, too.
type line struct {
	name   string
	points plotter.XYs
	color  color.Color
	shape  draw.GlyphDrawer
}

// figure is what is in a file.
type figure struct {
	file, title, x, y string
	logarithmic       bool
	lines             []line
}

var (
	gray  = color.RGBA{0x55, 0x55, 0x55, 0xff}
	blue  = color.RGBA{0x1f, 0x4e, 0x9c, 0xff}
	red   = color.RGBA{0xb2, 0x2a, 0x2a, 0xff}
	green = color.RGBA{0x2d, 0x7d, 0x3a, 0xff}
	brown = color.RGBA{0x8a, 0x5a, 0x14, 0xff}
)

// figures returns all that is drawn of t.
func figures(t *tables) []figure {
	without := func(r result) bool { return !r.Directory }
	with := func(r result) bool { return r.Directory }
	scale := func(y func(result) float64) []line {
		at := func(r result) float64 { return float64(r.Nodes) }
		return []line{
			{"HyParView and Plumtree", points(t.scale, without, at, y), blue, draw.CircleGlyph{}},
			{"with directory and failure detector", points(t.scale, with, at, y), red, draw.TriangleGlyph{}},
		}
	}
	killed := func(list []result, y func(result) float64) plotter.XYs {
		return points(list, without, func(r result) float64 { return 100 * r.Kill }, y)
	}
	average := func(r result) float64 { return 100 * r.Reliability }
	return []figure{
		{
			file: "reliability.svg", title: "10,000 nodes, a part of which is killed at once", x: "killed, %", y: "live nodes reached, %",
			lines: []line{
				{"after healing", killed(t.reliability, func(r result) float64 { return 100 * r.Healed }), green, draw.SquareGlyph{}},
				{"1,000 floods, one a second, on average", killed(t.floods, average), gray, draw.CrossGlyph{}},
				{"1,000 floods of the paper's protocol", killed(t.published, average), brown, draw.PyramidGlyph{}},
				{"at once, on average", killed(t.reliability, average), blue, draw.CircleGlyph{}},
				{"at once, the worst", killed(t.reliability, func(r result) float64 { return 100 * r.Least }), red, draw.TriangleGlyph{}},
			},
		},
		{file: "time.svg", title: "Time of a simulation", x: "nodes", y: "seconds of processors", logarithmic: true,
			lines: scale(func(r result) float64 { return r.Seconds })},
		{file: "memory.svg", title: "Memory of a simulation", x: "nodes", y: "megabytes", logarithmic: true,
			lines: scale(func(r result) float64 { return r.PeakBytes / 1e6 })},
	}
}

// points returns those of the results for which ok holds.
func points(list []result, ok func(result) bool, x, y func(result) float64) plotter.XYs {
	var all plotter.XYs
	for _, r := range list {
		if ok(r) {
			all = append(all, plotter.XY{X: x(r), Y: y(r)})
		}
	}
	return all
}

// drawAll writes the figures of t into dir.
func drawAll(t *tables, dir string) error {
	for _, f := range figures(t) {
		if err := f.save(filepath.Join(dir, f.file)); err != nil {
			return fmt.Errorf("%s: %w", f.file, err)
		}
	}
	return nil
}

func (f *figure) save(file string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = f.title, f.x, f.y
	p.BackgroundColor = color.White
	if p.Legend.Left = !f.logarithmic; f.logarithmic {
		p.Legend.XOffs = -vg.Centimeter // some fonts are wider
	}
	p.Legend.Padding = 2 * vg.Millimeter
	if f.logarithmic {
		p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	} else {
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 103, 0, 103
	}
	p.Add(plotter.NewGrid())
	for _, l := range f.lines {
		curve, dots, err := plotter.NewLinePoints(l.points)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		curve.Color, dots.Color, dots.Shape = l.color, l.color, l.shape
		p.Add(curve, dots)
		p.Legend.Add(l.name, curve, dots)
	}
	if f.logarithmic {
		p.X.Max *= 2 // room for the last number
	}
	return p.Save(width, height, file)
}
