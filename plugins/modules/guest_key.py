# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: guest_key
short_description: Install the AVMA key of a guest and prove that its host activated it
version_added: 0.1.0
description:
  - Installs the Automatic Virtual Machine Activation (AVMA) key for the release and edition of a Windows Server guest, and has the
    Hyper-V or Azure Local host that runs it activate it.
  - The task succeeds if the licence that is read back from Windows is licensed, has the AVMA channel, and names the host that activated it
    and the time.
  - A guest that is activated by AVMA with the right key is not changed. The module replaces a KMS client key, the AVMA key of another
    release, and any key that Windows is not activated with. It replaces a MAK, retail or OEM key that Windows is activated with only with
    O(replace=true), and never the key of a KMS host.
  - Before any write, and in check mode as well, the module refuses an evaluation edition, a release or edition for which Microsoft
    documents no AVMA key, a machine that is not a virtual machine on Hyper-V, a key that belongs to another release or edition, and a guest
    whose host is known not to activate it. It learns about the host from the guest (the host's edition, whether its release is at least
    2012 R2, the Activation Component, Data Exchange) and from O(vm). If something cannot be determined, the module prints a warning and
    does not refuse the guest.
  - If the activation fails and the guest was an activated KMS client, it gets its KMS client key back and is activated with it. The message
    says whether that worked. C(changed) says whether the licence differs from the former one, also if the task failed.
  - Use O(channel=kms) for a guest that moves to a host or a platform without AVMA. It gets the KMS client key of its release and edition,
    and a KMS host or Active Directory activates it. Its Hyper-V host is not read. If the activation fails and the guest was activated by
    AVMA, it gets its AVMA key back and is activated with it.
options:
  channel:
    description:
      - With V(avma), the guest gets the AVMA key of its release and edition, and its host activates it.
      - With V(kms), the guest gets the KMS client key (GVLK), which Microsoft publishes too. Use O(activate=false) if the KMS host or
        Active Directory can only be reached later.
      - Microsoft asks to remove KVP data when an AVMA key is replaced by another key, and does not document the names of the values.
        M(hyperv.avma.guest_kvp) removes values by name.
    type: str
    choices: [avma, kms]
    default: avma
    version_added: 0.2.0
  product_key:
    description:
      - The AVMA key to install, in place of the one that is documented for the guest's release and edition.
      - The generic AVMA keys are public, so this option is not treated as a secret.
    type: str
  release:
    description:
      - The release that the guest must have, in any usual spelling, such as V(2022), V(Windows Server 2022), a SAC version such as V(1809)
        or a build number. A guest with another one is refused.
      - By default, the release is detected from the build number.
      - If the name contains an edition, that edition is used, such as V(Windows Server 2022 Datacenter).
    type: str
  edition:
    description:
      - The edition that the guest must have, V(Datacenter), V(Standard), V(Essentials) or V(Azure Edition), in any usual spelling. A guest
        with another one is refused.
      - By default, the edition is detected from the SKU of the operating system.
    type: str
  key_overrides:
    description:
      - Additions to the table of AVMA keys, for a release that Microsoft documented after this version of the collection.
      - A dictionary whose keys are releases, SAC versions or build numbers. Each value is a dictionary of keys by edition.
    type: dict
    default: {}
  activate:
    description:
      - Whether to activate, not only to install the key.
      - Windows later activates itself with an installed AVMA key. With V(false), the module does not wait for that, does not prove the
        activation, and does not put a former key back. A guest that is activated now is refused then, unless O(replace=true) or
        O(channel=kms).
    type: bool
    default: true
  expected_hosts:
    description:
      - The hosts of which one must have activated the guest, such as the nodes of its cluster; names with or without domain.
      - By default, any host may have activated it.
    type: list
    elements: str
    default: []
  replace:
    description:
      - Whether to replace a key that Windows is activated with and that cannot be put back (a MAK, a retail or OEM key). To use it again
        later, you must have the whole key.
      - Also needed for a key that is not in the table of AVMA keys, given in O(product_key) or O(key_overrides), if Windows is activated.
        The kind of such a key is known only after it was installed. If it is not an AVMA key, the module does not activate it.
      - With O(channel=kms), also needed to give up an AVMA activation that the present host would not give again, so that it could not be
        put back if no KMS host answers. The module asks the host for it before it installs the KMS client key.
    type: bool
    default: false
    version_added: 0.2.0
  vm:
    description:
      - What the host says about the guest's virtual machine, which is its entry in RV(hyperv.avma.vm_info#module:vms) as it is. The host
        knows more than the guest, such as whether it is activated itself.
      - A guest for which it says C(eligible=false) is refused, with the host's problems.
      - The entry must be that of the guest's own virtual machine, by its ID.
    type: dict
    version_added: 0.2.0
  timeout:
    description:
      - For how many seconds to wait for the activation, and to repeat what Windows may accept later. If the former key must be put back,
        the module waits for the same time again.
    type: int
    default: 120
extends_documentation_fragment:
  - hyperv.avma.common
seealso:
  - module: hyperv.avma.guest_info
  - plugin: hyperv.avma.key
    plugin_type: lookup
  - name: Automatic Virtual Machine Activation in Windows Server
    description: Microsoft's documentation, with the keys.
    link: https://learn.microsoft.com/windows-server/get-started/automatic-vm-activation
author:
  - The hyperv.avma authors (@hyperv-avma)
"""

EXAMPLES = r"""
- name: Activate the guest by its host
  hyperv.avma.guest_key:

- name: Activate the guest, and make sure that it was by a node of this cluster
  hyperv.avma.guest_key:
    expected_hosts: [HV01, HV02, HV03]

- name: Give up a key that works for the AVMA key
  hyperv.avma.guest_key:
    replace: true

- name: Ask the host first whether it can activate the guest
  hyperv.avma.vm_info:
    name: [web01]
  delegate_to: HV01
  register: told

- name: Activate the guest, unless its host knows better
  hyperv.avma.guest_key:
    vm: "{{ told.vms[0] }}"

- name: Install the key only, while the image is being built
  hyperv.avma.guest_key:
    activate: false

- name: Let a KMS host activate the guest from now on
  hyperv.avma.guest_key:
    channel: kms

- name: Prepare the guest for a platform that will activate it by KMS
  hyperv.avma.guest_key:
    channel: kms
    activate: false

- name: A release that is newer than this collection
  hyperv.avma.guest_key:
    key_overrides:
      "29500":
        Datacenter: YQB4H-NKHHJ-Q6K4R-4VMY6-VCH67
"""

RETURN = r"""
system:
  description: What Windows the guest runs.
  returned: when the guest could be read
  type: dict
  sample: {build: 20348, core: false, edition: Datacenter, evaluation: false, name: Windows Server 2022, release: '2022', sku: 8}
  contains:
    release:
      description: The release whose AVMA keys it takes; null if Microsoft documents none for it.
      type: str
    edition:
      description: The edition; null if it is not one that has AVMA keys.
      type: str
    core:
      description: >-
        Whether it is Server Core; null if that is not known. The SKU does not always say it, and only
        M(hyperv.avma.host_info) and M(hyperv.avma.guest_info) read the registry.
      type: bool
    evaluation:
      description: Whether it is an evaluation edition.
      type: bool
    build:
      description: The build number.
      type: int
    sku:
      description: The C(OperatingSystemSKU).
      type: int
    name:
      description: What Microsoft calls this build.
      type: str
license:
  description: The licence row of Windows as read at the end; null if no product key is installed.
  returned: when the guest could be read
  type: dict
  sample:
    description: Windows(R) Operating System, VIRTUAL_MACHINE_ACTIVATION channel
    license_family: ServerDatacenter
    activation_id: 21c56779-b449-4d20-adfc-eece0e1ad74b
    avma: true
    channel: VT:IA
    grace_minutes: 10080
    name: Windows(R), ServerDatacenter edition
    partial_product_key: DV9BG
    reason: null
    status: licensed
  contains:
    name:
      description: The name of the product.
      type: str
    description:
      description: The description of the product, which names the channel of its key in words.
      type: str
    license_family:
      description: C(LicenseFamily), the edition that the product is for.
      type: str
    status:
      description: >-
        One of V(licensed), V(unlicensed), V(out_of_box_grace), V(out_of_tolerance_grace), V(non_genuine_grace), V(notification),
        V(extended_grace).
      type: str
    reason:
      description: C(LicenseStatusReason) as an HRESULT; null if there is none.
      type: str
    channel:
      description: C(ProductKeyChannel); V(VT:IA) for an AVMA key.
      type: str
    avma:
      description: Whether the installed key is an AVMA key.
      type: bool
    partial_product_key:
      description: The last five characters of the installed key.
      type: str
    activation_id:
      description: The ID of the product.
      type: str
    grace_minutes:
      description: For how many minutes the activation or grace period lasts.
      type: int
activation:
  description: Which host activated the guest; null if none did.
  returned: when the guest could be read
  type: dict
  sample: {host: HV01, host_pid: 00491-50000-00001-AA666, iaid: 4f4d6ad4-6fc5-4e3e-9d5e-3dbcd7e0f0a1, time: '2026-11-22T08:15:30Z'}
  contains:
    host:
      description: The name of the host.
      type: str
    time:
      description: When, in UTC.
      type: str
    iaid:
      description: The inherited activation ID.
      type: str
    host_pid:
      description: The digital product ID of the host.
      type: str
former_license:
  description: The licence that was replaced, as RV(license); null if no product key was installed.
  returned: when the key was, or in check mode would be, replaced
  type: dict
  version_added: 0.2.0
problems:
  description:
    - What is wrong; empty unless the task failed. In check mode also what could not be determined beforehand (V(host_unknown)).
    - After a failure, V(former_key_put_back), V(former_key_not_put_back) and V(former_key_gone) say whether the former key was put back.
  returned: always
  type: list
  elements: dict
  sample:
    - code: host_not_licensed
      hresult: '0xC004FD02'
      message: >-
        The host HV02 is not activated: 0xC004FD02 (SL_E_IA_PARENT_PARTITION_NOT_ACTIVATED): Windows is not activated on the host
        machine.
      remedy: Activate the host that runs this guest (on Azure Local, set its AVMA key or subscription), then run again.
  contains:
    code:
      description: A stable name of the problem.
      type: str
    message:
      description: What is wrong.
      type: str
    remedy:
      description: What to do about it.
      type: str
    hresult:
      description: What Windows said.
      type: str
      returned: when Windows said something
hypervisor:
  description: What the guest knows about its host, as M(hyperv.avma.guest_info) returns it.
  returned: when the activation failed, or the guest was refused for its host
  type: dict
events:
  description: The guest's last activation events, as M(hyperv.avma.guest_info) returns them.
  returned: when the activation failed
  type: list
  elements: dict
"""
