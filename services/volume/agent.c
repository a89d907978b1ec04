#include "agent.h"

const struct agent agent_over_rpc = {
    .create = volume_create_call,
    .create_from_image = volume_create_from_image_call,
    .create_from_snapshot = volume_create_from_snapshot_call,
    .clone = volume_clone_call,
    .extend = volume_extend_call,
    .remove = volume_delete_call,
    .export_ = volume_export_call,
    .unexport = volume_unexport_call,
    .snapshot = snapshot_create_call,
    .remove_snapshot = snapshot_delete_call,
};
