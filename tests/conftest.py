"""Shared by all tests: quiet TensorFlow, models small enough to train in a second."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# the workers share the processors: OpenBLAS's threads, which spin while they wait, make small products ten times slower
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
