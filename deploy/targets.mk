# Deployment: included by the Makefile.

all: $(B)/bin/virga-nsforward
$(B)/bin/virga-nsforward: $(B)/obj/deploy/all-in-one/nsforward.o
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(LDFLAGS) -o $@ $<

# Packages first: what the Makefile asks pkg-config for must be there when it is read, hence a make of its own.
.PHONY: up down status demo verify-deploy
up:
	@deploy/install-packages build run
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@VIRGA_BUILD=$(abspath $(O)) deploy/all-in-one/up $(if $(HOSTS),--hosts $(HOSTS))
down:
	@deploy/all-in-one/down $(if $(PURGE),--purge)
status:
	@deploy/all-in-one/status
demo: up
	@VIRGA_BUILD=$(abspath $(O)) deploy/demo

# What can be proved without a cloud: units, users, folders, scripts.
verify-deploy:
	@deploy/systemd/verify $(O)
	@shellcheck deploy/demo deploy/install-packages deploy/all-in-one/host-init deploy/systemd/verify deploy/image/build \
	    deploy/image/check deploy/image/guest/etc/rc deploy/image/guest/etc/udhcpc.script deploy/image/guest/usr/sbin/chpasswd
	@pyflakes3 deploy/lib/virga_deploy/*.py deploy/all-in-one/up deploy/all-in-one/down deploy/all-in-one/status \
	    deploy/all-in-one/clients deploy/all-in-one/on tests/lib/*.py

# Tests of the deployment's own parts; they need root.
.PHONY: check-deploy
check-deploy: verify-deploy $(B)/bin/virga-nsforward
	@VIRGA_BUILD=$(abspath $(B)) $(PYTHON) tests/lib/test_nsforward.py
	@$(PYTHON) tests/lib/test_cloud.py
	@deploy/image/build $(O)/image && deploy/image/check $(O)/image/tiny.qcow2
