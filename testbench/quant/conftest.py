"""One torch thread a test process: two of them waiting for each other on a busy core crawl."""

import torch

torch.set_num_threads(1)
