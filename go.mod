module exo-bench-exporter

go 1.26.0
