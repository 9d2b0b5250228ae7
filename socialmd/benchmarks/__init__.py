"""Benchmarks of the field: protocols, published numbers, and how ours are measured beside them."""

from socialmd.benchmarks.benchmark_report import BenchmarkReport as BenchmarkReport
from socialmd.benchmarks.benchmark_table import benchmark_table as benchmark_table
from socialmd.benchmarks.leak_test import leak_test as leak_test
from socialmd.benchmarks.pair_accuracy import ACCURACY as ACCURACY
from socialmd.benchmarks.pair_accuracy import pair_accuracy as pair_accuracy
from socialmd.benchmarks.protocols import PROTOCOLS as PROTOCOLS
from socialmd.benchmarks.protocols import Protocol as Protocol
from socialmd.benchmarks.public_benchmark import Benchmark as Benchmark
from socialmd.benchmarks.public_benchmark import benchmark_names as benchmark_names
from socialmd.benchmarks.public_benchmark import read_benchmark as read_benchmark
from socialmd.benchmarks.trivial_forecasts import trivial_forecasts as trivial_forecasts

__all__ = [
    "ACCURACY",
    "PROTOCOLS",
    "Benchmark",
    "BenchmarkReport",
    "Protocol",
    "benchmark_names",
    "benchmark_table",
    "leak_test",
    "pair_accuracy",
    "read_benchmark",
    "trivial_forecasts",
]
