# Virga. The targets that people use:
#
#   make            builds everything into build/
#   make demo       make up, then a guest from image to ssh, as an ordinary user would make it
#   make up         a whole cloud on this machine (state in run/); make down ends it
#   make check      all tests      make lint     format, clang-tidy, layering, headers
#   make bench      figures        make tempest LIST=smoke
#
# O=dir builds elsewhere. V=san builds with AddressSanitizer and UBSan (what the tests use), V=tsan with ThreadSanitizer, V=release is the default.

O ?= build
V ?= release
B := $(O)/$(V)
GEN := $(O)/gen
PYTHON ?= /usr/bin/python3
CC ?= gcc

SERVICES := $(notdir $(patsubst %/main.c,%,$(wildcard services/*/main.c)))
API_SERVICES := $(notdir $(patsubst %/openapi.yaml,%,$(wildcard api-specs/*/openapi.yaml)))

# --- flags

WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Werror
CPPFLAGS += -D_GNU_SOURCE -I. -Icommon -I$(GEN) -I$(O) \
            $(shell pkg-config --cflags libmicrohttpd jansson libpq libcurl libxml-2.0 libvirt libnl-3.0 libnl-route-3.0 2>/dev/null)
CFLAGS_release := -O2 -g1 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_san := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CFLAGS += -std=gnu11 -pthread -fvisibility=hidden $(WARN) $(CFLAGS_$(V))
LDFLAGS_release := -Wl,-z,relro,-z,now
LDFLAGS_san := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS += -pthread -Wl,--as-needed $(LDFLAGS_$(V))
LIBS := -lmicrohttpd -ljansson -lpq -lrabbitmq -lcurl -lcrypto -lcrypt -lyaml -lsystemd -lm
LIBS_identity := -lpcre2-8 -lldap -llber
LIBS_compute-agent := -lvirt -lxml2
LIBS_network-agent := -lnl-route-3 -lnl-3 -lnftables
LIBS_volume-agent := -lnbd
LIBS_cli := -lsmartcols -lyaml
CCACHE := $(shell command -v ccache 2>/dev/null)
COMPILE = $(CCACHE) $(CC) $(CPPFLAGS) $(CFLAGS) -include common/base/banned.h -MMD -MP

# --- generated sources

CODEGEN := $(wildcard common/codegen/*.py)
# Libraries of the framework that have statements of their own.
SQL_LIBS := $(patsubst common/%/queries,%,$(wildcard common/*/queries))
SQL_SERVICES := $(patsubst services/%/queries,%,$(wildcard services/*/queries))
MIGRATIONS := $(notdir $(patsubst %/,%,$(wildcard migrations/*/)))
RPC := $(basename $(notdir $(wildcard api-specs/rpc/*.yaml)))
under = $(subst -,_,$1)

STAMPS := $(foreach s,$(API_SERVICES),$(GEN)/.$s_api) $(foreach s,$(RPC),$(GEN)/.$s_rpc) \
          $(foreach s,$(SQL_LIBS) $(SQL_SERVICES),$(GEN)/.$s_queries) $(foreach s,$(MIGRATIONS),$(GEN)/.$s_migrations)

.PHONY: all gen
all: $(foreach s,$(filter-out cli,$(SERVICES)),$(B)/bin/virga-$s) $(if $(filter cli,$(SERVICES)),$(B)/bin/virga)
	@if [ "$(V)" = release ]; then mkdir -p $(O)/bin && cd $(O)/bin && ln -sf ../release/bin/virga* .; fi

gen: $(STAMPS)

$(GEN):
	@mkdir -p $@

define api_rule
$(GEN)/.$1_api: $$(wildcard api-specs/$1/*.yaml api-specs/$1/*/*.yaml) $$(CODEGEN) | $(GEN)
	@$$(PYTHON) common/codegen/openapi.py api-specs/$1 $(GEN)
	@touch $$@
endef
define rpc_rule
$(GEN)/.$1_rpc: api-specs/rpc/$1.yaml $$(CODEGEN) | $(GEN)
	@$$(PYTHON) common/codegen/rpc.py $$< $(GEN)
	@touch $$@
endef
define sql_rule
$(GEN)/.$1_queries: $$(wildcard $2/queries/*.sql) $$(CODEGEN) | $(GEN)
	@$$(PYTHON) common/codegen/sql.py --service $(call under,$1) --out $(GEN) $$(wildcard $2/queries/*.sql)
	@touch $$@
endef
define migrations_rule
$(GEN)/.$1_migrations: $$(wildcard migrations/$1/*.sql) $$(CODEGEN) | $(GEN)
	@$$(PYTHON) common/codegen/migrations.py $1 $(GEN) $$(sort $$(wildcard migrations/$1/*.sql))
	@touch $$@
endef
$(foreach s,$(API_SERVICES),$(eval $(call api_rule,$s)))
$(foreach s,$(RPC),$(eval $(call rpc_rule,$s)))
$(foreach s,$(SQL_LIBS),$(eval $(call sql_rule,$s,common/$s)))
$(foreach s,$(SQL_SERVICES),$(eval $(call sql_rule,$s,services/$s)))
$(foreach s,$(MIGRATIONS),$(eval $(call migrations_rule,$s)))

# --- libraries and programs. Every archive member is pulled in only where something needs it.

COMMON_SRC := $(filter-out common/codegen/%,$(wildcard common/*/*.c))
COMMON_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(COMMON_SRC)) \
              $(foreach s,$(SQL_LIBS),$(B)/obj/gen/$s_queries.o) \
              $(if $(filter framework,$(MIGRATIONS)),$(B)/obj/gen/framework_migrations.o)
RPC_OBJ := $(foreach s,$(RPC),$(B)/obj/gen/$(call under,$s)_rpc.o $(B)/obj/gen/$(call under,$s)_rpc_server.o)
TESTLIB_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/lib/*.c))

# An archive is made anew also when a source is gone, which makes no object younger.
define archive_rule
$1: $2
$(if $(filter-out $2,$(file <$1.members)),$(shell rm -f $1))
endef
$(eval $(call archive_rule,$(B)/libvirga.a,$(COMMON_OBJ) $(RPC_OBJ)))
$(eval $(call archive_rule,$(B)/libtest.a,$(TESTLIB_OBJ)))
%.a:
	@mkdir -p $(@D); rm -f $@
	@ar rcs $@ $(filter %.o,$^)
	$(file >$@.members,$(filter %.o,$^))

$(B)/obj/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	@echo "  CC $(notdir $<)"
	@$(COMPILE) -Wno-unused-parameter -c $< -o $@
$(B)/obj/%.o: %.c | gen
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(COMPILE) -c $< -o $@
# Made by the stamps' recipes.
$(GEN)/%.c: | gen ;
.PRECIOUS: $(GEN)/%.c $(B)/obj/%.o

service_objs = $(patsubst %.c,$(B)/obj/%.o,$(filter-out services/$1/main.c,$(wildcard services/$1/*.c services/$1/*/*.c))) \
               $(if $(filter $1,$(API_SERVICES)),$(B)/obj/gen/$1_api.o) \
               $(if $(filter $1,$(SQL_SERVICES)),$(B)/obj/gen/$(call under,$1)_queries.o) \
               $(if $(filter $1,$(MIGRATIONS)),$(B)/obj/gen/$(call under,$1)_migrations.o)
define service_rule
$(call archive_rule,$(B)/lib$1.a,$(call service_objs,$1))
$(B)/bin/$2: $(B)/obj/services/$1/main.o $(B)/lib$1.a $(B)/libvirga.a
	@mkdir -p $$(@D)
	@echo "  LD $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $(B)/obj/services/$1/main.o -Wl,--start-group $(B)/lib$1.a $(B)/libvirga.a -Wl,--end-group $$(LIBS) $$(LIBS_$1)
endef
$(foreach s,$(SERVICES),$(eval $(call service_rule,$s,$(if $(filter cli,$s),virga,virga-$s))))

# --- tests: tests/unit/<dir>/test_*.c, one program each; <dir> names the service whose code it tests.

UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT_BIN := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SRC))
define unit_rule
$(B)/tests/unit/$1/%: $(B)/obj/tests/unit/$1/%.o $(if $(wildcard services/$1),$(B)/lib$1.a) $(B)/libvirga.a $(B)/libtest.a
	@mkdir -p $$(@D)
	@$$(CC) $$(LDFLAGS) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LIBS) $$(LIBS_$1) -lcmocka
endef
$(foreach d,$(notdir $(patsubst %/,%,$(wildcard tests/unit/*/))),$(eval $(call unit_rule,$d)))
# Services that have unit tests before they have a main.c.
$(foreach d,$(filter-out $(SERVICES),$(notdir $(patsubst %/,%,$(wildcard services/*/)))),$(eval $(call archive_rule,$(B)/lib$d.a,$(call service_objs,$d))))

.PHONY: unit-tests
unit-tests: $(UNIT_BIN)

-include deploy/targets.mk
-include tests/targets.mk

# Manual pages, from what the daemons say of themselves.
.PHONY: man
man: all
	@$(PYTHON) common/codegen/man.py $(O)/man $(foreach s,$(filter-out cli,$(SERVICES)),$(B)/bin/virga-$s)

.PHONY: clean
clean:
	rm -rf $(O)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
