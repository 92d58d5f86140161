"""Networks: plain torch modules, one file each, that know nothing of training, files or limits."""
