/* Methods "mapped", "openid" and "saml2": as method "token", for a token that an identity provider's word made. (Such a token comes
 * from .../auth; this is how older clients rescope it.) */
#include "federation_login.h"

int
login_mapped(struct call *call, const struct auth_identity *in, struct login *l, struct fault *f)
{
    const struct auth_token *token = in->mapped != NULL   ? in->mapped
                                     : in->openid != NULL ? in->openid
                                                          : in->saml2;
    struct auth_identity as_token = { .token = (struct auth_token *)(uintptr_t)token };

    if (token == NULL)
        return login_refused(call, "a federated method without a token", f);
    if (login_token(call, &as_token, l, f) < 0)
        return -1;
    return l->who.idp_id == NULL ? login_refused(call, "no federated token", f) : 0;
}
