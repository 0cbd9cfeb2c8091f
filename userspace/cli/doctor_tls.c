/* SPDX-License-Identifier: GPL-2.0-only */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "userspace/cli/doctor.h"

#define DAY_S	 86400
#define SOON_DAY 14

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (file)
		fclose(file);

	return cert;
}

static void check_certificate(struct tandem_doctor *doctor, const char *path)
{
	time_t soon = time(NULL) + SOON_DAY * DAY_S;
	const ASN1_TIME *end;
	X509 *cert;

	if (!path)
		return;
	cert = read_certificate(path);
	if (!cert) {
		tandem_doctor_add(doctor, "sip certificate", TANDEM_FINDING_FAILURE,
				  "%s: cannot be read, or is not PEM", path);
		return;
	}
	end = X509_get0_notAfter(cert);
	if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
		tandem_doctor_add(doctor, "sip certificate", TANDEM_FINDING_FAILURE,
				  "%s: not valid yet", path);
	else if (X509_cmp_current_time(end) < 0)
		tandem_doctor_add(doctor, "sip certificate", TANDEM_FINDING_FAILURE,
				  "%s: has expired", path);
	else if (X509_cmp_time(end, &soon) < 0)
		tandem_doctor_add(doctor, "sip certificate", TANDEM_FINDING_WARNING,
				  "%s: expires within %d days", path, SOON_DAY);
	else
		tandem_doctor_add(doctor, "sip certificate", TANDEM_FINDING_OK, "%s", path);
	X509_free(cert);
}

void tandem_doctor_tls(struct tandem_doctor *doctor, const struct tandem_config *cfg)
{
	unsigned int i;

	check_certificate(doctor, cfg->sip.tls.certificate);
	for (i = 0; i < cfg->sip.tls.certificates_count; i++)
		check_certificate(doctor, cfg->sip.tls.certificates[i].certificate);
	for (i = 0; i < cfg->gateways_count; i++)
		check_certificate(doctor, cfg->gateways[i].tls_certificate);
}
