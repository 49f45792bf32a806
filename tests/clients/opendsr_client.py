"""What a generated client of OpenDSR does; run by test_opendsr.py, with its package on the path.

python opendsr_client.py BASE KEY SECRET CUSTOMER
"""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import opendsr  # type: ignore[import-not-found]
from opendsr import models
from opendsr.api.default import (  # type: ignore[import-not-found]
    cancel_request,
    discover,
    status_of_request,
    statuses_of_group,
    submit_request,
)


def main() -> None:
    """Ask for everything once, and tell what the client made of it."""
    base, key, secret, customer = sys.argv[1:]
    client = opendsr.Client(base, raise_on_unexpected_status=True)
    client.get_httpx_client().auth = (key, secret)

    def submitted(kind: str) -> Any:
        return submit_request.sync_detailed(
            client=client,
            body=models.Request(
                regulation=models.RequestRegulation.GDPR,
                subject_request_id=uuid4(),
                subject_request_type=models.RequestSubjectRequestType(kind),
                submitted_time=datetime.now(UTC),
                subject_identities=models.Identities(
                    controller_customer_id=models.Identity(customer, models.IdentityEncoding.RAW)
                ),
                status_callback_urls=["https://exampleurl.com/opendsr/callbacks"],
                group_id="generated",
            ),
        )

    def completed(its_id: UUID) -> Any:
        for _ in range(200):
            status = status_of_request.sync(its_id, client=client)
            if status.request_status == models.StatusRequestStatus.COMPLETED:
                return status
            time.sleep(0.05)
        raise RuntimeError(f"the request is still {status.request_status}")

    accepted = submitted("access")
    its_id = accepted.parsed.subject_request_id
    status = completed(its_id)
    archive = client.get_httpx_client().get(status.results_url)
    erased = submitted("erasure")
    completed(erased.parsed.subject_request_id)
    told = {
        "accepted": [accepted.status_code, accepted.parsed.controller_id],
        "status": [status.request_status, status.group_id, archive.content[:2].decode()],
        "erased": erased.status_code,
        "group": [
            each.subject_request_id == its_id
            for each in statuses_of_group.sync(client=client, group_id="generated")
        ],
        "late": cancel_request.sync_detailed(its_id, client=client).status_code,
        "unknown": status_of_request.sync(uuid4(), client=client).code,
        "types": len(discover.sync(client=client).supported_identities),
    }
    sys.stdout.write(json.dumps(told) + "\n")


main()
