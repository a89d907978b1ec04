#include "federation.h"

#include "base/json.h"
#include "base/str.h"
#include "body.h"

int
federation_remote_ids(struct cli *cli, json_t *body, struct fault *f)
{
    const char *path = args_get(&cli->args, "--remote-id-file");
    json_t *ids;
    char *text, *line;
    size_t size;

    if (path == NULL)
        return 0;
    if (body_file(cli->arena, path, &text, &size, f) < 0)
        return -1;
    ids = json_array();
    json_object_set_new(body, "remote_ids", ids);
    while ((line = strsep(&text, "\n")) != NULL) {
        line += strspn(line, " \t");
        size = strcspn(line, "\r");
        while (size > 0 && (line[size - 1] == ' ' || line[size - 1] == '\t'))
            size--;
        if (size > 0)
            json_array_append_new(ids, json_stringn(line, size));
    }
    return 0;
}

int
federation_rules(struct cli *cli, json_t *body, struct fault *f)
{
    const char *path = args_get(&cli->args, "--rules");
    json_t *rules;
    char *text;
    size_t size;

    if (path == NULL)
        return 0;
    if (body_file(cli->arena, path, &text, &size, f) < 0)
        return -1;
    if (json_read(cli->arena, text, size, &rules, f) < 0) {
        fault_clear(f);
        return fault_raise(f, FAULT_INVALID,
                           "An error occurred when reading rules from file %s: it is no JSON.",
                           path);
    }
    json_object_set(body, "rules", rules);
    return 0;
}

int
federation_protocol_shown(struct cli *cli, json_t *object, struct fault *f)
{
    (void)f;
    json_object_set_new(object, "identity_provider",
                        json_string(args_get(&cli->args, "--identity-provider")));
    return 0;
}
