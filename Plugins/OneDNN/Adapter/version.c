#include "adapter.h"

__attribute__((visibility("default"), used)) const kanto_version kanto_plugin_version = {
    .magic = KANTO_ABI_MAGIC,
    .struct_size = sizeof(kanto_version),
    .major = KANTO_ABI_MAJOR,
    .minor = KANTO_ABI_MINOR,
    .name = "onednn",
};
