#include "cpu_traits.h"

#include "base/array.h"
#include "base/str.h"

/* The flag, and the trait of os-traits that means it. */
static const struct {
    const char *flag, *trait;
} known[] = {
    { "sse", "HW_CPU_X86_SSE" },           { "sse2", "HW_CPU_X86_SSE2" },
    { "pni", "HW_CPU_X86_SSE3" },          { "ssse3", "HW_CPU_X86_SSSE3" },
    { "sse4_1", "HW_CPU_X86_SSE41" },      { "sse4_2", "HW_CPU_X86_SSE42" },
    { "sse4a", "HW_CPU_X86_SSE4A" },       { "avx", "HW_CPU_X86_AVX" },
    { "avx2", "HW_CPU_X86_AVX2" },         { "avx512f", "HW_CPU_X86_AVX512F" },
    { "avx512bw", "HW_CPU_X86_AVX512BW" }, { "avx512cd", "HW_CPU_X86_AVX512CD" },
    { "avx512dq", "HW_CPU_X86_AVX512DQ" }, { "avx512vl", "HW_CPU_X86_AVX512VL" },
    { "fma", "HW_CPU_X86_FMA3" },          { "f16c", "HW_CPU_X86_F16C" },
    { "bmi1", "HW_CPU_X86_BMI" },          { "bmi2", "HW_CPU_X86_BMI2" },
    { "aes", "HW_CPU_X86_AESNI" },         { "pclmulqdq", "HW_CPU_X86_CLMUL" },
    { "sha_ni", "HW_CPU_X86_SHA" },        { "vmx", "HW_CPU_X86_VMX" },
    { "svm", "HW_CPU_X86_SVM" },           { "mmx", "HW_CPU_X86_MMX" },
    { "pdpe1gb", "HW_CPU_X86_PDPE1GB" },   { "sgx", "HW_CPU_X86_SGX" },
    { "stibp", "HW_CPU_X86_STIBP" },
};

size_t
cpu_traits(struct arena *a, const char *flags, const char ***ret)
{
    const char **traits = NULL;
    size_t count = 0, capacity = 0, words;
    char **flag = str_split(a, flags != NULL ? flags : "", ' ', &words);

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        for (size_t k = 0; k < words; k++) {
            if (!str_equal(flag[k], known[i].flag))
                continue;
            *ARRAY_PUSH(a, traits, count, capacity) = known[i].trait;
            break;
        }
    }
    *ret = traits;
    return count;
}

char *
cpu_flags_read(struct arena *a)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *line = NULL, *found = NULL;
    size_t capacity = 0;
    ssize_t size;

    while (file != NULL && found == NULL && (size = getline(&line, &capacity, file)) > 0) {
        const char *colon = strchr(line, ':');

        if (str_starts(line, "flags") && colon != NULL && colon[1] == ' ')
            found = arena_strndup(a, colon + 2, strcspn(colon + 2, "\n"));
    }
    free(line);
    if (file != NULL)
        fclose(file);
    return found;
}
