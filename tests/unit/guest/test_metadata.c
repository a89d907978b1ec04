#include "guest/metadata.h"

#include "base/json.h"
#include "base/str.h"
#include "tests/unit/asserts.h"

static const char facts_text[] =
    "{ \"uuid\": \"5d6a3a3c-8fd1-4a6e-9d4c-0d2f6c1b7a11\", \"name\": \"web <1>\", \"hostname\": "
    "\"web-1.example.org\","
    "  \"project_id\": \"0c5a8c1d7e3f4b6a9d8e7f6a5b4c3d2e\", \"availability_zone\": \"nova\", "
    "\"launch_index\": 0,"
    "  \"reservation_id\": \"r-1a2b3c4d\", \"number\": 42, \"flavor\": \"m1.small\","
    "  \"image\": { \"id\": \"aabbccdd-0000-4000-8000-000000000001\", \"kernel_id\": "
    "\"11223344-0000-4000-8000-000000000001\" },"
    "  \"keys\": [ { \"name\": \"mine\", \"type\": \"ssh\", \"data\": \"ssh-ed25519 AAAA me\" } ],"
    "  \"meta\": { \"role\": \"web\" }, \"user_data\": \"IyEvYmluL3NoAGVjaG8=\","
    "  \"security_groups\": [ \"default\", \"web\" ],"
    "  \"files\": [ { \"path\": \"/etc/../motd\", \"contents\": \"aGVsbG8=\" } ],"
    "  \"networks\": [ { \"port_id\": \"port\", \"tap\": \"tap0a\", \"mac\": "
    "\"fa:16:3e:00:00:01\", \"mtu\": 1450,"
    "     \"network_id\": \"net\", \"floating_ips\": [ \"203.0.113.7\" ], \"subnets\": ["
    "     { \"version\": 4, \"cidr\": \"10.5.0.0/20\", \"gateway\": \"10.5.0.1\", \"dhcp\": true, "
    "\"dns\": [ \"9.9.9.9\" ],"
    "       \"addresses\": [ \"10.5.0.11\" ] },"
    "     { \"version\": 4, \"cidr\": \"10.6.0.0/20\", \"gateway\": \"10.6.0.1\", \"dns\": [ "
    "\"9.9.9.9\", \"8.8.8.8\" ],"
    "       \"routes\": [ { \"destination\": \"10.9.0.0/16\", \"nexthop\": \"10.6.0.9\" } ], "
    "\"addresses\": [ \"10.6.0.11\" ] },"
    "     { \"version\": 6, \"cidr\": \"2001:db8::/64\", \"gateway\": \"2001:db8::1\", "
    "\"ipv6_address_mode\": \"slaac\","
    "       \"addresses\": [ \"2001:db8::11\" ] } ] } ] }";

struct fixture {
    struct arena *a;
    json_t *facts;
};

static int
setup(void **state)
{
    static struct fixture fixture;
    struct fault f = { 0 };

    fixture.a = arena_new();
    *state = &fixture;
    return json_read(fixture.a, facts_text, strlen(facts_text), &fixture.facts, &f);
}

static int
teardown(void **state)
{
    struct fixture *x = *state;

    arena_free(x->a);
    return 0;
}

static const char *
get(const struct fixture *x, const char *path)
{
    const char *type, *ret;
    size_t size;
    struct fault f = { 0 };

    return metadata_get(x->facts, path, x->a, &type, &ret, &size, &f) < 0 ? NULL : ret;
}

static void
test_texts(void **state)
{
    static const struct {
        const char *path, *text; /* NULL: not found. */
    } cases[] = {
        { "/openstack", "2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-"
                        "06\n2017-02-22\n2018-08-27\n2020-10-14\nlatest" },
        { "/openstack/", "2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-"
                         "06\n2017-02-22\n2018-08-27\n"
                         "2020-10-14\nlatest" },
        { "/openstack/2012-08-10", "meta_data.json\nuser_data" },
        { "/openstack/2013-10-17/", "meta_data.json\nuser_data\npassword\nvendor_data.json" },
        { "/openstack/latest", "meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_"
                               "data.json\nvendor_data2.json" },
        { "/openstack/latest/vendor_data.json", "{}" },
        { "/openstack/latest/vendor_data2.json", "{\"static\":{}}" },
        { "/openstack/latest/password", "" },
        { "/openstack/content/0000", "hello" },
        { "/openstack/content/0001", NULL },
        { "/openstack/content/0", NULL },
        { "/openstack/content", NULL },
        { "/openstack/2012-08-10/network_data.json", NULL },
        { "/openstack/2012-08-11/meta_data.json", NULL },
        { "/openstack/latest/meta_data.json/x", NULL },
        { "/", "1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-"
               "09-01\n2009-04-04\nlatest" },
        { "/latest", "meta-data/\nuser-data" },
        { "/ec2/latest/", "meta-data/\nuser-data" },
        { "/1.0/meta-data/", "ami-id\nami-launch-index\nami-manifest-path\nhostname\ninstance-"
                             "id\nlocal-ipv4\npublic-keys/\n"
                             "reservation-id\nsecurity-groups" },
        { "/latest/meta-data",
          "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/"
          "\nhostname\ninstance-action\n"
          "instance-id\ninstance-type\nkernel-id\nlocal-hostname\nlocal-ipv4\nplacement/\n"
          "public-hostname\npublic-ipv4\npublic-keys/\nreservation-id\nsecurity-groups" },
        { "/latest/meta-data/instance-id", "i-0000002a" },
        { "/latest/meta-data/ami-id", "ami-aabbccdd" },
        { "/latest/meta-data/kernel-id", "aki-11223344" },
        { "/latest/meta-data/ami-launch-index", "0" },
        { "/latest/meta-data/local-ipv4", "10.5.0.11" },
        { "/latest/meta-data/public-ipv4", "203.0.113.7" },
        { "/latest/meta-data/security-groups", "default\nweb" },
        { "/latest/meta-data/public-keys", "0=mine" },
        { "/latest/meta-data/public-keys/", "0=mine" },
        { "/latest/meta-data/public-keys/0/", "openssh-key" },
        { "/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA me" },
        { "/latest/meta-data/public-keys/0/_name", NULL },
        { "/latest/meta-data/block-device-mapping/root", "/dev/vda" },
        { "/latest/meta-data/placement/availability-zone", "nova" },
        { "/2007-10-10/meta-data/placement", NULL },
        { "/latest/meta-data/instance-id/x", NULL },
        { "//latest/./meta-data//local-hostname", "web-1.example.org" },
        { "/latest/../latest/meta-data/hostname", NULL },
        { "/openstack/../../etc/passwd", NULL },
        { "/nonsense", NULL },
    };
    const struct fixture *x = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *text = get(x, cases[i].path);

        if (!str_equal(text, cases[i].text))
            fail_msg("%s: '%s'", cases[i].path, text ? text : "(not found)");
    }
}

static json_t *
get_json(const struct fixture *x, const char *path)
{
    const char *text = get(x, path);
    struct fault f = { 0 };
    json_t *value;

    assert_non_null(text);
    assert_ok(json_read(x->a, text, strlen(text), &value, &f));
    return value;
}

static void
test_meta_data(void **state)
{
    const struct fixture *x = *state;
    const json_t *old = get_json(x, "/openstack/2012-08-10/meta_data.json");
    const json_t *now = get_json(x, "/openstack/latest/meta_data.json");

    assert_string_equal(json_get_text(now, "uuid"), "5d6a3a3c-8fd1-4a6e-9d4c-0d2f6c1b7a11");
    assert_string_equal(json_get_text(now, "name"), "web <1>");
    assert_string_equal(json_get_text(json_object_get(now, "public_keys"), "mine"),
                        "ssh-ed25519 AAAA me");
    assert_string_equal(json_get_text(json_object_get(now, "meta"), "role"), "web");
    assert_string_equal(json_get_text(json_array_get(json_object_get(now, "files"), 0),
                                      "content_path"),
                        "/content/0000");
    assert_int_equal(strlen(json_get_text(now, "random_seed")), 684);
    assert_non_null(json_object_get(now, "dedicated_cpus"));
    assert_null(json_object_get(old, "random_seed"));
    assert_null(json_object_get(old, "project_id"));
    assert_null(json_object_get(old, "devices"));
}

static void
test_network_data(void **state)
{
    static const char expected[] =
        "{\"links\":[{\"id\":\"tap0a\",\"vif_id\":\"port\",\"type\":\"bridge\",\"mtu\":1450,"
        "\"ethernet_mac_address\":\"fa:16:3e:00:00:01\"}],"
        "\"networks\":[{\"id\":\"network0\",\"type\":\"ipv4_dhcp\",\"link\":\"tap0a\",\"network_"
        "id\":\"net\"},"
        "{\"id\":\"network1\",\"type\":\"ipv4\",\"link\":\"tap0a\",\"ip_address\":\"10.6.0.11\","
        "\"netmask\":\"255.255.240.0\","
        "\"routes\":[{\"network\":\"0.0.0.0\",\"netmask\":\"0.0.0.0\",\"gateway\":\"10.6.0.1\"},"
        "{\"network\":\"10.9.0.0\",\"netmask\":\"255.255.0.0\",\"gateway\":\"10.6.0.9\"}],"
        "\"services\":[{\"type\":\"dns\",\"address\":\"9.9.9.9\"},{\"type\":\"dns\",\"address\":"
        "\"8.8.8.8\"}],"
        "\"network_id\":\"net\"},"
        "{\"id\":\"network2\",\"type\":\"ipv6_slaac\",\"link\":\"tap0a\",\"ip_address\":\"2001:db8:"
        ":11\","
        "\"netmask\":\"ffff:ffff:ffff:ffff::\",\"routes\":[{\"network\":\"::\",\"netmask\":\"::\","
        "\"gateway\":\"2001:db8::1\"}],"
        "\"services\":[],\"network_id\":\"net\"}],"
        "\"services\":[{\"type\":\"dns\",\"address\":\"9.9.9.9\"},{\"type\":\"dns\",\"address\":"
        "\"8.8.8.8\"}]}";
    const struct fixture *x = *state;

    assert_string_equal(get(x, "/openstack/latest/network_data.json"), expected);
}

static void
test_user_data_is_bytes(void **state)
{
    const struct fixture *x = *state;
    const char *type, *ret;
    size_t size;
    struct fault f = { 0 };

    assert_ok(metadata_get(x->facts, "/openstack/latest/user_data", x->a, &type, &ret, &size, &f));
    assert_int_equal(size, 14);
    assert_memory_equal(ret, "#!/bin/sh\0echo", 14);
    assert_ok(metadata_get(x->facts, "/latest/user-data", x->a, &type, &ret, &size, &f));
    assert_int_equal(size, 14);
}

static void
test_nothing_known(void **state)
{
    static const char *const absent[] = { "/openstack/latest/user_data", "/latest/user-data",
                                          "/latest/meta-data/public-keys" };
    const struct fixture *x = *state;
    json_auto_t *empty = json_object();
    const char *type, *ret;
    size_t size;
    struct fault f = { 0 };

    assert_ok(
        metadata_get(empty, "/openstack/latest/meta_data.json", x->a, &type, &ret, &size, &f));
    assert_string_equal(type, "application/json");
    assert_ok(metadata_get(empty, "/openstack/latest", x->a, &type, &ret, &size, &f));
    assert_string_equal(
        ret, "meta_data.json\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json");
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        struct fault missing = { 0 };
        int r = metadata_get(empty, absent[i], x->a, &type, &ret, &size, &missing);

        assert_fault(r, missing, FAULT_NOT_FOUND, NULL);
    }
}

static void
test_drive(void **state)
{
    const struct fixture *x = *state;
    struct metadata_file *files;
    size_t count, found = 0;
    struct fault f = { 0 };

    assert_ok(metadata_drive(x->facts, x->a, &files, &count, &f));
    for (size_t i = 0; i < count; i++) {
        assert_null(strstr(files[i].path, ".."));
        assert_true(files[i].path[0] != '/');
        if (str_equal(files[i].path, "openstack/latest/user_data") ||
            str_equal(files[i].path, "openstack/content/0000") ||
            str_equal(files[i].path, "openstack/2012-08-10/meta_data.json"))
            found++;
        if (str_equal(files[i].path, "ec2/latest/meta-data.json")) {
            assert_null(strstr(files[i].data, "_name"));
            assert_non_null(strstr(files[i].data, "openssh-key"));
            found++;
        }
        assert_false(str_ends(files[i].path, "/password"));
    }
    assert_int_equal(found, 4);
}

static void
test_bad_file(void **state)
{
    const struct fixture *x = *state;
    json_auto_t *facts =
        json_pack("{s:[{s:s, s:s}]}", "files", "path", "/a", "contents", "not base64!");
    struct metadata_file *files;
    size_t count;
    struct fault f = { 0 };
    int r = metadata_drive(facts, x->a, &files, &count, &f);

    assert_fault(r, f, FAULT_INVALID, "base64");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),         cmocka_unit_test(test_meta_data),
        cmocka_unit_test(test_network_data),  cmocka_unit_test(test_user_data_is_bytes),
        cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_drive),
        cmocka_unit_test(test_bad_file),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
